//! The lines of a Dockerfile that start from another base and bring along what it does not have.

use std::fmt::Write as _;

use crate::advice::base::candidate::Candidate;
use crate::advice::base::compatible::Brings;
use crate::advice::base::needs::Needs;
use crate::entry::split;
use crate::image::Config;

/// Files copied one by one; more are named by their number.
const COPIES_MAX: usize = 200;

/// The lines. Files are copied from a stage called `builder`, which makes today's image.
pub fn lines(needs: &Needs, candidate: &Candidate, brings: &Brings, builder: &str) -> String {
    let mut text = format!("FROM {}\n", candidate.reference);
    if !brings.packages.is_empty() {
        text.push_str(&install(candidate, brings));
    }
    let copies: Vec<(String, String)> = brings
        .libraries
        .iter()
        .map(|(name, path)| (path.clone(), library_place(needs, candidate, name, path)))
        .chain(brings.files.iter().map(|path| (path.clone(), path.clone())))
        .collect();
    if !copies.is_empty() {
        let _ = writeln!(text, "# `{builder}` is the stage that makes today's image.");
    }
    for (from, to) in copies.iter().take(COPIES_MAX) {
        let _ = writeln!(text, "{}", copy(builder, from, to));
    }
    if copies.len() > COPIES_MAX {
        let _ = writeln!(text, "# and {} more files", copies.len() - COPIES_MAX);
    }
    if !needs.configured_libraries.is_empty() {
        // Its loader has no cache that tells of them.
        text.push_str(if candidate.commands.contains("ldconfig") {
            "# once the application's libraries are copied:\nRUN ldconfig\n"
        } else {
            "ENV LD_LIBRARY_PATH=/usr/local/lib\n"
        });
    }
    text
}

/// Lines that undo what a base is set to and the image is not: it would be inherited.
pub fn cleared(candidate: &Candidate, config: &Config) -> String {
    let mut text = String::new();
    if candidate.reference == "scratch" {
        return text;
    }
    if config.user.is_empty() {
        text.push_str("USER 0\n");
    }
    if config.working_dir.is_empty() {
        text.push_str("WORKDIR /\n");
    }
    if candidate.entrypoint.is_some() && config.entrypoint.is_empty() {
        text.push_str("ENTRYPOINT []\n");
    }
    text
}

/// Where a library is copied to: where it stands today, unless the base's loader looks elsewhere.
fn library_place(needs: &Needs, candidate: &Candidate, name: &str, path: &str) -> String {
    let is_family =
        needs.distribution.as_ref().is_some_and(|(family, _)| *family == candidate.family);
    match &candidate.library_directory {
        Some(directory) if !is_family => format!("{directory}/{name}"),
        _ => format!("{}/{name}", String::from_utf8_lossy(split(path.as_bytes()).0)),
    }
}

fn copy(builder: &str, from: &str, to: &str) -> String {
    // Paths were escaped for people: a backslash stands for what a Dockerfile cannot hold.
    if from.contains('\\') {
        return format!("# copy {from}");
    }
    if from.contains(char::is_whitespace) || to.contains(char::is_whitespace) {
        return format!("COPY --from={builder} [{from:?}, {to:?}]");
    }
    format!("COPY --from={builder} {from} {to}")
}

fn install(candidate: &Candidate, brings: &Brings) -> String {
    let packages = brings.packages.iter().cloned().collect::<Vec<_>>().join(" ");
    let has = |manager: &str| candidate.package_managers.contains(manager);
    if has("apk") {
        format!("RUN apk add --no-cache {packages}\n")
    } else if has("apt") {
        format!(
            "RUN apt-get update \\\n    && apt-get install -y --no-install-recommends {packages} \
             \\\n    && rm -rf /var/lib/apt/lists/*\n"
        )
    } else {
        let manager = ["microdnf", "dnf", "yum"].into_iter().find(|name| has(name));
        let manager = manager.unwrap_or("dnf");
        format!("RUN {manager} install -y {packages} \\\n    && {manager} clean all\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::base::catalogue::Catalogue;
    use crate::advice::base::needs::Proof;

    fn candidate(name: &str) -> Candidate {
        Catalogue::builtin().candidates.into_iter().find(|row| row.is_called(name)).unwrap()
    }

    #[test]
    fn files_are_copied_and_packages_installed() {
        let debian = Needs {
            distribution: Some(("debian".to_owned(), "12".to_owned())),
            ..Needs::default()
        };
        let mut brings = Brings::default();
        brings
            .libraries
            .insert("libpq.so.5".to_owned(), "/usr/lib/x86_64-linux-gnu/libpq.so.5.15".to_owned());
        brings.files.insert("/srv/a b".to_owned());
        brings.files.insert("/srv/x\\n".to_owned());
        let text = lines(&debian, &candidate("gcr.io/distroless/base-debian12"), &brings, "build");
        assert_eq!(
            text,
            "FROM gcr.io/distroless/base-debian12\n\
             # `build` is the stage that makes today's image.\n\
             COPY --from=build /usr/lib/x86_64-linux-gnu/libpq.so.5.15 \
             /usr/lib/x86_64-linux-gnu/libpq.so.5\n\
             COPY --from=build [\"/srv/a b\", \"/srv/a b\"]\n\
             # copy /srv/x\\n\n"
        );
        // Loaders of other distributions do not look where Debian's does.
        let text = lines(
            &debian,
            &candidate("registry.access.redhat.com/ubi9/ubi-micro"),
            &brings,
            "build",
        );
        assert!(text.contains(" /usr/lib64/libpq.so.5\n"), "{text}");
        let brings = Brings { packages: ["libpq5".to_owned()].into(), ..Brings::default() };
        let text = lines(&debian, &candidate("debian:bookworm-slim"), &brings, "build");
        assert!(text.contains("install -y --no-install-recommends libpq5 \\\n"), "{text}");
        let text = lines(&debian, &candidate("alpine:3.20"), &brings, "build");
        assert!(text.contains("RUN apk add --no-cache libpq5\n"), "{text}");
        let text = lines(
            &debian,
            &candidate("registry.access.redhat.com/ubi9/ubi-minimal"),
            &brings,
            "build",
        );
        assert!(text.contains("RUN microdnf install -y libpq5 \\\n"), "{text}");
    }

    #[test]
    fn what_a_base_is_set_to_is_not_inherited() {
        let config = |json: &str| Config::parse("a test", json.as_bytes()).unwrap();
        let python = candidate("gcr.io/distroless/python3-debian12");
        let bare = config(r#"{"config": {"Cmd": ["python3", "app.py"]}}"#);
        assert_eq!(cleared(&python, &bare), "USER 0\nWORKDIR /\nENTRYPOINT []\n");
        assert_eq!(cleared(&candidate("scratch"), &bare), "");
        let set = r#"{"config": {"Entrypoint": ["/a"], "User": "1", "WorkingDir": "/app"}}"#;
        assert_eq!(cleared(&python, &config(set)), "");
    }

    #[test]
    fn the_loader_is_told_of_an_applications_own_libraries() {
        let needs = Needs {
            configured_libraries: Proof::of("/usr/local/lib/libx.so.1"),
            ..Needs::default()
        };
        let text = lines(&needs, &candidate("scratch"), &Brings::default(), "build");
        assert!(text.ends_with("ENV LD_LIBRARY_PATH=/usr/local/lib\n"), "{text}");
        let text = lines(&needs, &candidate("debian:bookworm-slim"), &Brings::default(), "build");
        assert!(text.ends_with("RUN ldconfig\n"), "{text}");
    }
}
