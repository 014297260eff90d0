//! What leads to a file, and what nothing leads to.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use jettison_testkit::image::{Compression, ImageBuilder, ImageFiles, LayerBuilder, Meta, Wrap};
use serde_json::Value;

use crate::jettison::User;
use crate::shop::content;

const STATUS: &str = "Package: bash\nStatus: install ok installed\nInstalled-Size: 9\n\
    Architecture: amd64\nVersion: 1\nDepends: libc6\n\n\
    Package: unneeded\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2\n";

/// A file of this machine and the symlinks on the way to it, at the same paths, each once.
pub(crate) fn of_this_machine(
    mut layer: LayerBuilder,
    path: &Path,
    taken: &mut BTreeSet<String>,
) -> LayerBuilder {
    let mut at = path.to_owned();
    loop {
        // `/lib` is a symlink, too: the directory is taken where it really is.
        let parent = at.parent().unwrap().canonicalize().unwrap();
        let real = parent.join(at.file_name().unwrap());
        let name = real.strip_prefix("/").unwrap().to_str().unwrap().to_owned();
        if !taken.insert(name.clone()) {
            return layer;
        }
        match fs_err::read_link(&real) {
            Ok(target) => {
                layer = layer.symlink(name, target.to_str().unwrap());
                at = parent.join(target);
            }
            Err(_) => {
                return layer.file_with(name, fs_err::read(&real).unwrap(), Meta::mode(0o755));
            }
        }
    }
}

/// What the machine's own loader says that a program loads.
pub(crate) fn ldd(program: &str) -> Vec<PathBuf> {
    let text = jettison_testkit::process::run(Command::new("ldd").arg(program)).unwrap();
    let path = |line: &str| line.split_whitespace().find(|w| w.starts_with('/')).map(PathBuf::from);
    text.lines().filter_map(path).collect()
}

/// Programs of this machine with what their loader loads, and what tells it where that is.
pub(crate) fn programs_of_this_machine(programs: &[&str]) -> LayerBuilder {
    let mut layer = LayerBuilder::new();
    for link in ["bin", "sbin", "lib", "lib64"] {
        if Path::new("/").join(link).is_symlink() {
            layer = layer.symlink(link, format!("usr/{link}"));
        }
    }
    let mut taken = BTreeSet::new();
    for program in programs {
        layer = of_this_machine(layer, Path::new(program), &mut taken);
        for library in ldd(program) {
            layer = of_this_machine(layer, &library, &mut taken);
        }
    }
    layer.file("etc/ld.so.cache", fs_err::read("/etc/ld.so.cache").unwrap())
}

fn image(program: &str) -> ImageBuilder {
    let layer = programs_of_this_machine(&[program])
        .file("var/lib/dpkg/status", STATUS)
        .file("var/lib/dpkg/info/bash.list", "/.\n/bin/bash\n/usr/share/bash/data\n")
        .file(
            "var/lib/dpkg/info/unneeded.list",
            "/usr/bin/unneeded\n/usr/share/doc/unneeded/NEWS\n",
        )
        .file("usr/share/bash/data", content("data", 500))
        .file_with("usr/bin/unneeded", content("unneeded", 9000), Meta::mode(0o755))
        .file("usr/share/doc/unneeded/NEWS", content("news", 7000))
        .file("srv/left/over.bin", content("over", 5000));
    ImageBuilder::new().layer(layer, "ADD rootfs.tar / # buildkit").tag("example.test/tool:1")
}

fn write(user: &User, name: &str, image: &ImageBuilder) -> String {
    ImageFiles::docker_archive(&[image.clone().build()])
        .write_archive(&user.path(name), Wrap::None)
        .unwrap();
    format!("docker-archive:{name}")
}

fn why(user: &User, word: &str, path: &str) -> Value {
    user.run(&["why", "--format", "json", word, path]).json()
}

#[test]
fn a_program_needs_what_its_loader_would_load() {
    let user = User::new();
    for program in ["/usr/bin/bash", "/usr/bin/apt-get", "/usr/bin/git"] {
        if !Path::new(program).exists() {
            continue;
        }
        let image = image(program).entrypoint(&[program, "/no/such/script"]);
        let word = write(&user, "tool.tar", &image);
        let libraries = ldd(program);
        assert!(!libraries.is_empty());
        for library in libraries.iter().map(|path| path.canonicalize().unwrap()) {
            let of = why(&user, &word, library.to_str().unwrap());
            assert_eq!(of["evidence"], "needed", "{program}: {}: {of}", library.display());
            let chain = of["chain"].as_array().unwrap();
            assert_eq!(chain.last().unwrap()["how"], "ENTRYPOINT", "{of}");
        }
        let of = why(&user, &word, "/usr/bin/unneeded");
        assert_eq!((&of["evidence"], &of["owner"]), (&"none".into(), &"unneeded".into()));
        assert_eq!(of["chain"], Value::Array(Vec::new()));
    }
}

#[test]
fn a_program_that_has_a_shell_run_commands_leads_to_those_its_data_names() {
    let user = User::new();
    // Its data has `dpkg-deb --control`, and `install` in sentences.
    let layer = ["usr/bin/dpkg-deb", "usr/bin/install"]
        .iter()
        .fold(programs_of_this_machine(&["/usr/bin/dpkg"]), |layer, path| {
            layer.file_with(path, content(path, 300), Meta::mode(0o755))
        });
    let image = ImageBuilder::new().layer(layer, "COPY . / # buildkit").tag("x:1");
    let word = write(&user, "tool.tar", &image.entrypoint(&["/usr/bin/dpkg"]));
    let of = why(&user, &word, "/usr/bin/dpkg-deb");
    assert_eq!((&of["evidence"], &of["chain"][0]["how"]), (&"named".into(), &"command in".into()));
    assert_eq!(why(&user, &word, "/usr/bin/install")["evidence"], "none");
}

#[test]
fn what_nothing_leads_to_is_told_by_package_and_directory() {
    let user = User::new();
    let image = image("/usr/bin/bash").entrypoint(&["/usr/bin/bash", "/no/such/script"]);
    let word = write(&user, "tool.tar", &image);
    let document = user.analyze_with(&word, &["--unused"]);
    let unused = &document["unused"];
    assert_eq!(document["size"]["unused"], unused["bytes"]);
    let sum = |key: &str| unused[key].as_u64().unwrap();
    assert_eq!(sum("bytes"), sum("high") + sum("medium") + sum("low"));
    let groups = unused["groups"].as_array().unwrap();
    assert_eq!(groups.iter().map(|g| g["bytes"].as_u64().unwrap()).sum::<u64>(), sum("bytes"));
    let find = |key: &str, name: &str, confidence: &str| {
        groups.iter().find(|g| g[key] == name && g["confidence"] == confidence).unwrap().clone()
    };
    assert_eq!(find("package", "unneeded", "high")["bytes"], 7000);
    assert_eq!(find("package", "unneeded", "medium")["bytes"], 9000);
    assert_eq!(find("directory", "/srv/left", "medium")["bytes"], 5000);
    assert!(!groups.iter().any(|group| group["package"] == "bash"), "{groups:?}");
    let of = why(&user, &word, "/usr/share/bash/data");
    assert_eq!(of["evidence"], "package-mate", "{of}");
    // Nothing of it is said where it was not asked for.
    let plain = user.analyze(&word);
    assert_eq!((&plain["unused"], &plain["size"]["unused"]), (&Value::Null, &Value::Null));
    let text = user.run(&["analyze", "--unused", &word]).text();
    assert!(text.contains("unneeded: 1 file: documentation: no file of it is reached"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn only_an_eval_that_a_run_must_tell_lowers_the_confidence() {
    let user = User::new();
    let answers = |script: &str, path: &str| {
        let layer = LayerBuilder::new()
            .file_with("bin/sh", content("sh", 900), Meta::mode(0o755))
            .file_with("usr/bin/tool", content("tool", 900), Meta::mode(0o755))
            .file_with("srv/run", format!("#!/bin/sh\n{script}\n"), Meta::mode(0o755))
            .file_with("opt/left/over", content("over", 5000), Meta::mode(0o755));
        let image = ImageBuilder::new().layer(layer, "ADD rootfs.tar /").entrypoint(&["/srv/run"]);
        why(&user, &write(&user, "evals.tar", &image), path)
    };
    let confidence = |script: &str| answers(script, "/opt/left/over")["confidence"].clone();
    assert_eq!(confidence("tool=${TOOL:-tool}; eval \"exec $tool -x\""), "medium");
    assert_eq!(confidence("eval \"exec $1 -x\""), "low");
    assert_eq!(confidence("sh -c 'read x; eval \"$x\"'"), "low");
    let of = answers("part=ol; eval \"exec to$part -x\"", "/usr/bin/tool");
    assert_eq!(of["evidence"], "named", "{of}");
}

#[test]
fn only_scripts_that_can_run_lower_the_confidence() {
    let user = User::new();
    let confidence = |first_line: &str| {
        let script = format!("{first_line}\nreturn open(name())\n");
        let layer = LayerBuilder::new()
            .file_with("usr/bin/lua9", content("lua", 900), Meta::mode(0o755))
            .file_with("usr/bin/env", content("env", 900), Meta::mode(0o755))
            .file_with("srv/app", script, Meta::mode(0o755))
            .file("opt/left/over.bin", content("over", 5000));
        let image = ImageBuilder::new().layer(layer, "ADD rootfs.tar /").entrypoint(&["/srv/app"]);
        why(&user, &write(&user, "scripts.tar", &image), "/opt/left/over.bin")["confidence"].clone()
    };
    assert_eq!(confidence("#!/usr/bin/lua9"), "low");
    // Where `env` looks, a script may say.
    assert_eq!(confidence("#!/usr/bin/env lua10"), "low");
    assert_eq!(confidence("#!/usr/bin/lua10"), "medium");
    // A list of symbols for AIX, as Apache's packages have one among the modules.
    assert_eq!(confidence("#! ."), "medium");
}

#[test]
fn contents_that_pass_by_say_what_those_that_stay_say() {
    let user = User::new();
    let image = image("/usr/bin/bash").entrypoint(&["/usr/bin/bash", "/no/such/script"]);
    let expected = user.analyze_with(&write(&user, "tool.tar", &image), &["--unused"]);
    let gzip = image.compression(Compression::Gzip { level: 1 }).build();
    ImageFiles::oci_layout([gzip.clone()]).write_directory(&user.path("layout")).unwrap();
    // The second run has the contents from the cache; the first of them filled it without.
    user.analyze("oci:layout");
    for run in ["gathered", "cached"] {
        let found = user.analyze_with("oci:layout", &["--unused"]);
        assert_eq!(found["unused"], expected["unused"], "{run}");
    }
    let piped = ["analyze", "-", "--unused", "--format", "json"];
    let archive = ImageFiles::docker_archive(&[gzip]).tar();
    assert_eq!(user.run_with_input(&piped, &archive).json()["unused"], expected["unused"]);
}

#[test]
fn chains_lead_through_scripts_wrappers_and_links() {
    let user = User::new();
    let script = "#!/usr/bin/env -S python9 -u\nimport helper\n";
    let layer = LayerBuilder::new()
        .file_with("usr/bin/env", content("env", 900), Meta::mode(0o755))
        .file_with("usr/bin/tini", content("tini", 900), Meta::mode(0o755))
        .file_with("usr/bin/python9.9", content("python", 900), Meta::mode(0o755))
        .symlink("usr/bin/python9", "python9.9")
        .file("usr/lib/python9.9/os.py", "import stat\n")
        .file("usr/lib/python9.9/stat.py", "x = 1\n")
        .file("usr/lib/python9.9/never.py", content("never", 900))
        .file_with("app/serve", script, Meta::mode(0o755))
        .file("app/helper.py", "from package import part\n")
        .file("app/package/__init__.py", "y = 1\n")
        .file("app/package/part.py", "y = 1\n")
        .file("app/package/spare.py", content("spare", 800));
    let image = ImageBuilder::new()
        .layer(layer, "COPY . / # buildkit")
        .entrypoint(&["/usr/bin/tini", "--"])
        .cmd(&["/app/serve"])
        .tag("x:1");
    let word = write(&user, "script.tar", &image);
    let chain = |path: &str| -> Vec<String> {
        let of = why(&user, &word, path);
        let links = of["chain"].as_array().unwrap().iter();
        links
            .map(|l| format!("{} {}", l["path"].as_str().unwrap(), l["how"].as_str().unwrap()))
            .collect()
    };
    assert_eq!(
        chain("/usr/bin/python9.9"),
        ["/usr/bin/python9.9 #! of", "/app/serve command of", "/usr/bin/tini ENTRYPOINT"]
    );
    assert_eq!(chain("/app/package/part.py")[0], "/app/package/part.py imported by");
    assert_eq!(chain("/app/package/part.py")[1], "/app/helper.py imported by");
    let standard = chain("/usr/lib/python9.9/stat.py");
    assert_eq!(standard[0], "/usr/lib/python9.9/stat.py imported at the start of");
    assert_eq!(standard.last().unwrap(), "/usr/bin/tini ENTRYPOINT");
    for path in ["/usr/lib/python9.9/never.py", "/app/package/spare.py"] {
        assert_eq!(chain(path), [] as [&str; 0], "{path}");
    }
    let text = user.run(&["why", &word, "/app/helper.py"]).text();
    assert!(text.contains("  /app/helper.py\n    <- imported by\n  /app/serve\n"), "{text}");
}

#[test]
fn native_addons_bring_the_shared_objects_of_optional_dependencies() {
    let user = User::new();
    let manifest = r#"{"name":"sharp","main":"lib","optionalDependencies":{"@img/libvips":"1"}}"#;
    let modules = "app/node_modules";
    let layer = LayerBuilder::new()
        .file_with("usr/bin/node", content("node", 900), Meta::mode(0o755))
        .file("app/index.js", "require('sharp')\n")
        .file(format!("{modules}/sharp/package.json"), manifest)
        .file(format!("{modules}/sharp/lib.js"), "require('./build/x.node')\n")
        .file(format!("{modules}/sharp/build/x.node"), content("addon", 900))
        .file(format!("{modules}/@img/libvips/package.json"), r#"{"name":"@img/libvips"}"#)
        .file(format!("{modules}/@img/libvips/lib/libvips.so.42"), content("vips", 900))
        .file(format!("{modules}/other/package.json"), r#"{"name":"other"}"#)
        .file(format!("{modules}/other/libother.so"), content("other", 900));
    let image = ImageBuilder::new()
        .layer(layer, "COPY . / # buildkit")
        .cmd(&["node", "/app/index.js"])
        .tag("x:1");
    let word = write(&user, "node.tar", &image);
    for (path, evidence) in [
        ("sharp/lib.js", "needed"),
        ("sharp/build/x.node", "needed"),
        ("@img/libvips/lib/libvips.so.42", "named"),
        ("other/libother.so", "none"),
    ] {
        let of = why(&user, &word, &format!("/{modules}/{path}"));
        assert_eq!(of["evidence"], evidence, "{path}: {of}");
    }
}

#[test]
fn a_profile_is_evidence() {
    let user = User::new();
    let image = image("/usr/bin/bash").entrypoint(&["/usr/bin/bash", "/no/such/script"]);
    let word = write(&user, "tool.tar", &image);
    let profile =
        r#"{"schemaVersion":1,"executed":["/usr/bin/bash"],"opened":["/srv/left/over.bin"]}"#;
    fs_err::write(user.path("run.json"), profile).unwrap();
    let with = ["why", "--profile", "run.json", "--format", "json", &word];
    let evidence = |path: &str| user.run(&[&with[..], &[path]].concat()).json()["evidence"].clone();
    assert_eq!(evidence("/usr/bin/bash"), "executed");
    assert_eq!(evidence("/srv/left/over.bin"), "opened");
    // Several merge.
    let second = r#"{"schemaVersion":1,"executed":[],"opened":["/usr/share/bash/data"]}"#;
    fs_err::write(user.path("second.json"), second).unwrap();
    for (path, expected) in [
        ("/usr/bin/bash", "executed"),
        ("/srv/left/over.bin", "opened"),
        ("/usr/share/bash/data", "opened"),
        ("/usr/bin/unneeded", "none"),
    ] {
        let both = [&with[..], &["--profile", "second.json", path]].concat();
        assert_eq!(user.run(&both).json()["evidence"], expected, "{path}");
    }
    for (profile, said) in [
        (r#"{"schemaVersion":1,"complete":false}"#, "events were lost"),
        (r#"{"schemaVersion":7}"#, "schemaVersion is 7"),
        ("[", "run.json is malformed"),
    ] {
        fs_err::write(user.path("run.json"), profile).unwrap();
        user.run(&[&with[..], &["/usr/bin/bash"]].concat()).fails(3, &["run.json", said]);
    }
    // A profile says that facts are wanted; so may the settings.
    fs_err::write(user.path("run.json"), profile).unwrap();
    let unused = |arguments: &[&str]| {
        let json = ["analyze", "--format", "json", &word];
        user.run(&[&json[..], arguments].concat()).json()["size"]["unused"].clone()
    };
    assert_eq!(unused(&[]), Value::Null);
    let without = unused(&["--unused"]).as_u64().unwrap();
    assert_eq!(unused(&["--profile", "run.json"]).as_u64().unwrap(), without - 5000);
    fs_err::write(user.path("jettison.toml"), "[analyze]\nunused = true\n").unwrap();
    assert_eq!(unused(&[]).as_u64().unwrap(), without);
}
