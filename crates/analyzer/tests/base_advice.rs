//! A better base of whole images: today's is recognized, needs are gathered from files, and what
//! is suggested fits them.

use std::num::NonZeroUsize;

use jettison_analyzer::account::Account;
use jettison_analyzer::advice::base::BaseAdvice;
use jettison_analyzer::advice::base::candidate::{Language, Libc};
use jettison_analyzer::advice::base::catalogue::Catalogue;
use jettison_analyzer::advice::multi_stage::Built;
use jettison_analyzer::advice::suggestion::Suggestion;
use jettison_analyzer::analyze::{Options, analyze};
use jettison_analyzer::facts::Facts;
use jettison_analyzer::facts::evidence::Confidence;
use jettison_analyzer::facts::filesystem::Filesystem;
use jettison_analyzer::source::OpenOptions;
use jettison_testkit::image::{ImageBuilder, ImageFiles, LayerBuilder, Meta, Wrap};

/// An ELF file of 64 bits for amd64: a loader, needed libraries, and texts that its dynamic strings
/// hold beside those.
fn elf(
    interpreter: Option<&str>,
    soname: Option<&str>,
    needed: &[&str],
    texts: &[&str],
) -> Vec<u8> {
    const HEADERS: usize = 64 + 3 * 56;
    let mut strings = vec![0_u8];
    let mut offset = |text: &str| {
        let at = strings.len() as u64;
        strings.extend_from_slice(text.as_bytes());
        strings.push(0);
        at
    };
    let mut dynamic: Vec<(u64, u64)> = needed.iter().map(|name| (1, offset(name))).collect();
    dynamic.extend(soname.map(|name| (14, offset(name))));
    for text in texts {
        offset(text);
    }
    let path: Vec<u8> = interpreter.map_or_else(Vec::new, |path| [path.as_bytes(), b"\0"].concat());
    let (strings_at, path_at) = (HEADERS as u64, (HEADERS + strings.len()) as u64);
    let dynamic_at = (path_at + path.len() as u64).next_multiple_of(8);
    dynamic.extend([(5, strings_at), (10, strings.len() as u64), (0, 0)]);
    let end = dynamic_at + 16 * dynamic.len() as u64;
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    // ET_DYN, x86-64.
    file.extend([3, 0, 62, 0, 1, 0, 0, 0]);
    for word in [0_u64, 64, 0] {
        file.extend(word.to_le_bytes());
    }
    file.extend(0_u32.to_le_bytes());
    let is_dynamic = !needed.is_empty() || soname.is_some();
    for half in [64_u16, 56, 3, 64, 0, 0] {
        file.extend(half.to_le_bytes());
    }
    let mut header = |kind: u32, at: u64, size: u64| {
        file.extend(kind.to_le_bytes());
        file.extend(4_u32.to_le_bytes());
        for word in [at, at, at, size, size, 8] {
            file.extend(word.to_le_bytes());
        }
    };
    header(1, 0, end);
    header(if path.is_empty() { 0 } else { 3 }, path_at, path.len() as u64);
    header(if is_dynamic { 2 } else { 0 }, dynamic_at, 16 * dynamic.len() as u64);
    file.extend(strings);
    file.extend(path);
    while (file.len() as u64) < dynamic_at {
        file.push(0);
    }
    for (tag, value) in dynamic {
        file.extend(tag.to_le_bytes());
        file.extend(value.to_le_bytes());
    }
    file
}

fn program(layer: LayerBuilder, path: &str, content: impl Into<Vec<u8>>) -> LayerBuilder {
    layer.file_with(path, content, Meta { mode: 0o755, ..Meta::default() })
}

const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";

/// A Debian with a shell, glibc, libpq and curl, and with documents that slim images leave out.
fn debian() -> LayerBuilder {
    let package = |name: &str, depends: &str| {
        format!(
            "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9\n\
             Depends: {depends}\n\n"
        )
    };
    let status = [
        package("libc6", ""),
        package("dash", "libc6"),
        package("libpq5", "libc6"),
        package("curl", "libc6"),
    ]
    .concat();
    let libc = elf(None, Some("libc.so.6"), &[], &[]);
    let pq = elf(None, Some("libpq.so.5"), &["libc.so.6"], &["GLIBC_2.17"]);
    let loader = "/lib64/ld-linux-x86-64.so.2";
    let tool = || elf(Some(loader), None, &["libc.so.6"], &["GLIBC_2.34"]);
    let layer = LayerBuilder::new()
        .file(
            "etc/os-release",
            "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nPRETTY_NAME=\"Debian 12\"\n",
        )
        .file("usr/share/man/man1/ls.1.gz", vec![7; 40_000_000])
        .file("var/lib/dpkg/status", status)
        .file(
            "var/lib/dpkg/info/libc6.list",
            format!("/{LIBRARIES}/libc.so.6\n/lib64/ld-linux-x86-64.so.2\n"),
        )
        .file("var/lib/dpkg/info/dash.list", "/bin/sh\n")
        .file("var/lib/dpkg/info/libpq5.list", format!("/{LIBRARIES}/libpq.so.5\n"))
        .file("var/lib/dpkg/info/curl.list", "/usr/bin/curl\n");
    let layer = program(layer, &format!("{LIBRARIES}/libc.so.6"), libc);
    let layer = program(layer, &format!("{LIBRARIES}/libpq.so.5"), pq);
    let layer = program(
        layer,
        "lib64/ld-linux-x86-64.so.2",
        elf(None, Some("ld-linux-x86-64.so.2"), &[], &[]),
    );
    let layer = program(layer, "bin/sh", tool());
    program(layer, "usr/bin/curl", tool())
}

fn image() -> ImageBuilder {
    ImageBuilder::new()
        .layer(debian(), "# debian.sh --arch 'amd64' out/ 'bookworm' '@1'")
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
}

/// What is known of the base, and what is suggested.
struct Found {
    base: BaseAdvice,
    suggestions: Vec<Suggestion>,
}

impl std::ops::Deref for Found {
    type Target = BaseAdvice;

    fn deref(&self) -> &BaseAdvice {
        &self.base
    }
}

fn advice(image: ImageBuilder) -> anyhow::Result<Found> {
    let room = tempfile::tempdir()?;
    let path = room.path().join("image.tar");
    let image = image.tag("app:1").build();
    ImageFiles::docker_archive(&[image]).write_archive(&path, Wrap::None)?;
    let options = Options {
        open: OpenOptions { gather: true, ..OpenOptions::default() },
        jobs: NonZeroUsize::MIN,
        verify: false,
        base: None,
        cache: None,
    };
    let word = format!("docker-archive:{}", path.display());
    let account: Account = analyze(&word, &mut || Box::new(std::io::empty()), &options)?;
    let files = Filesystem::new(&account);
    let facts = Facts::of(&files, None, NonZeroUsize::MIN)?;
    let base = BaseAdvice::of(&files, &facts, &Catalogue::builtin())?;
    let built = Built { reference: "app:1", file: None };
    let suggestions = base.suggestions(&files, &facts, &built);
    Ok(Found { base, suggestions })
}

#[test]
fn a_static_program_needs_no_base() {
    let layer = program(LayerBuilder::new(), "app/server", elf(None, None, &[], &["hello"]));
    let found = advice(
        image().layer(layer, "COPY server /app/server # buildkit").entrypoint(&["/app/server"]),
    )
    .unwrap();
    assert_eq!(found.today.name.as_deref(), Some("debian:bookworm"));
    assert_eq!((found.today.layers, found.today.libc), (Some(1), Some(Libc::Glibc)));
    assert!(found.needs.is_static(), "{:?}", found.needs);
    assert_eq!(found.needs.linked[&Libc::None].paths, ["/app/server"]);
    let best = &found.suggestions[0];
    assert_eq!(best.title, "start from scratch instead of debian:bookworm");
    assert_eq!(best.confidence, Confidence::High);
    assert!(best.saved.get() > 40_000_000);
}

#[test]
fn what_is_linked_against_glibc_keeps_it() {
    let loader = Some("/lib64/ld-linux-x86-64.so.2");
    let needed = ["libc.so.6", "libpq.so.5"];
    let server = elf(loader, None, &needed, &["GLIBC_2.34"]);
    let layer = program(LayerBuilder::new(), "app/server", server);
    let found =
        advice(image().layer(layer, "COPY server /app/server # buildkit").cmd(&["/app/server"]))
            .unwrap();
    let glibc = found.needs.glibc.as_ref().unwrap();
    assert_eq!(
        (glibc.version.to_string().as_str(), &glibc.proof.paths[..]),
        ("2.34", &["/app/server".to_owned()][..])
    );
    assert!(found.needs.shells.is_empty(), "{:?}", found.needs.shells);
    assert_eq!(found.needs.libraries["libpq.so.5"].package.as_deref(), Some("libpq5"));
    let best = &found.suggestions[0];
    assert_eq!(
        best.title,
        "start from gcr.io/distroless/base-nossl-debian12 instead of debian:bookworm"
    );
    let line = "COPY --from=builder /usr/lib/x86_64-linux-gnu/libpq.so.5 /usr/lib/x86_64-linux-gnu/libpq.so.5";
    assert!(best.dockerfile.contains(line), "{}", best.dockerfile);
    let alpine = found.ranked.iter().find(|row| row.candidate.reference == "alpine:3.22").unwrap();
    assert!(!alpine.verdict.fits);
    let old =
        found.ranked.iter().find(|row| row.candidate.reference == "debian:bullseye-slim").unwrap();
    assert!(old.verdict.reasons[0].contains("GLIBC_2.34"), "{:?}", old.verdict.reasons);
}

#[test]
fn a_script_keeps_its_shell_and_what_it_starts() {
    let script = "#!/bin/sh\nset -e\ncurl -s http://example.invalid/\nexec /app/server\n";
    let layer = program(LayerBuilder::new(), "app/start.sh", script);
    let layer = program(layer, "app/server", elf(None, None, &[], &[]));
    let found =
        advice(image().layer(layer, "COPY . /app # buildkit").entrypoint(&["/app/start.sh"]))
            .unwrap();
    assert_eq!(found.needs.shells["sh"].paths, ["/app/start.sh"]);
    let commands: Vec<&str> = found.needs.commands.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(commands, ["curl"]);
    let best = &found.ranked[0];
    assert_eq!(
        (best.candidate.reference.as_str(), best.confidence),
        ("debian:bookworm-slim", Confidence::High)
    );
    let packages: Vec<&str> = best.verdict.brings.packages.iter().map(String::as_str).collect();
    assert_eq!(packages, ["curl"]);
    // This Debian is smaller than the real one: nothing is saved, nothing suggested.
    assert_eq!((best.saved, found.suggestions.len()), (None, 0));
    for row in found.ranked.iter().filter(|row| row.candidate.reference.contains("distroless")) {
        assert!(!row.verdict.fits, "{}", row.candidate.reference);
    }
}

#[test]
fn a_python_application_keeps_its_version() {
    let site = "usr/local/lib/python3.11/site-packages";
    let loader = Some("/lib64/ld-linux-x86-64.so.2");
    let python = program(
        LayerBuilder::new(),
        "usr/local/bin/python3.11",
        elf(loader, None, &["libc.so.6"], &["GLIBC_2.34"]),
    )
    .symlink("usr/local/bin/python3", "python3.11")
    .file("usr/local/lib/python3.11/os.py", "import sys\n");
    let native = elf(None, Some("x"), &["libc.so.6"], &["GLIBC_2.28"]);
    let own = LayerBuilder::new()
        .file("app/main.py", "import thing\n")
        .file(format!("{site}/thing/__init__.py"), "from thing import _fast\n")
        .file(format!("{site}/thing/_fast.cpython-311-x86_64-linux-gnu.so"), native);
    let found = advice(
        image()
            .empty("ENV PYTHON_VERSION=3.11.9")
            .layer(python, "RUN /bin/sh -c make install # buildkit")
            .empty("CMD [\"python3\"]")
            .layer(own, "COPY . / # buildkit")
            .cmd(&["python3", "/app/main.py"]),
    )
    .unwrap();
    assert_eq!(found.today.name.as_deref(), Some("python:3.11-slim-bookworm"));
    assert_eq!(found.today.layers, Some(2));
    let interpreter = &found.needs.interpreters[0];
    assert_eq!(interpreter.language, Language::Python);
    assert_eq!(interpreter.version.as_ref().unwrap().to_string(), "3.11");
    assert_eq!(interpreter.abi.as_deref(), Some("cpython-311"));
    assert!(interpreter.modules.count >= 2, "{interpreter:?}");
    let fits = |name: &str| {
        let row = found.ranked.iter().find(|row| row.candidate.reference == name).unwrap();
        row.verdict.fits
    };
    assert!(fits("gcr.io/distroless/python3-debian12"));
    assert!(fits("python:3.11-slim-trixie"));
    assert!(!fits("python:3.12-slim-bookworm") && !fits("python:3.11-alpine3.23"));
    assert!(!fits("debian:bookworm-slim"));
    assert!(found.needs.shells.is_empty(), "{:?}", found.needs.shells);
}

#[test]
fn an_image_of_nothing_known_gets_no_guess() {
    let layer = program(LayerBuilder::new(), "server", elf(None, None, &[], &[]));
    let found =
        advice(ImageBuilder::new().layer(layer, "COPY server / # buildkit").cmd(&["/server"]))
            .unwrap();
    assert_eq!(found.today.called(), None);
    assert!(found.today.how.contains("nothing"), "{}", found.today.how);
    assert_eq!(found.suggestions, []);
}
