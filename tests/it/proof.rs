//! That what a run opens was not called unused: the smallest of the proofs that `benches/prove`
//! makes on real images, from programs of this machine.

use jettison_testkit::engine::Dockerd;
use jettison_testkit::image::{ImageBuilder, Meta};
use serde_json::Value;

use crate::jettison::{Run, User};
use crate::shop::content;
use crate::unused::programs_of_this_machine;

const TAG: &str = "example.test/proof:1";
/// What the script starts.
const USED: [&str; 8] = [
    "/usr/bin/bash",
    "/usr/bin/cat",
    "/usr/bin/grep",
    "/usr/bin/sed",
    "/usr/bin/sha256sum",
    "/usr/bin/sort",
    "/usr/bin/tar",
    "/usr/bin/wc",
];
/// What nothing starts.
const UNUSED: [&str; 4] = ["/usr/bin/dd", "/usr/bin/diff", "/usr/bin/find", "/usr/bin/stat"];

const SCRIPT: &str = "#!/bin/bash\nset -euo pipefail\nhere=$(dirname \"$0\")\n. \"$here/lib.sh\"\n\
    report \"$@\"\n";
const LIBRARY: &str = "report() {\n  while read -r line; do echo \"$line\"; done < /app/data.txt \
    | grep -v '^#' | sed 's/a/b/' | sort | wc -l\n  tar -cf - /app/data.txt | sha256sum\n  \
    if [ \"${1:-}\" = more ]; then cat /app/more.txt; fi\n}\n";

fn image() -> ImageBuilder {
    // The script's `dirname`, too.
    let programs = [&USED[..], &UNUSED, &["/usr/bin/dirname"]].concat();
    let layer = programs_of_this_machine(&programs)
        .file_with("app/run", SCRIPT, Meta::mode(0o755))
        .file("app/lib.sh", LIBRARY)
        .file("app/data.txt", "a\n# b\nc\n")
        .file("app/more.txt", "more\n")
        .file("usr/share/doc/x/README", content("readme", 20_000))
        .directory_with("tmp", Meta::mode(0o1777));
    ImageBuilder::new()
        .platform(jettison_oci::Platform::host())
        .layer(layer, "ADD rootfs.tar / # buildkit")
        .env("PATH", "/usr/bin:/bin")
        .entrypoint(&["/app/run"])
        .tag(TAG)
}

#[test]
fn nothing_that_a_run_opens_was_called_unused() {
    let Some(docker) = Dockerd::for_test() else { return };
    docker.load_image(&image().build()).unwrap();
    let user = User::new();
    let run = |arguments: &[&str]| {
        Run::of(user.command(arguments).env("DOCKER_HOST", docker.host())).json()
    };
    let word = format!("docker-daemon:{TAG}");
    let unused = run(&["analyze", &word, "--unused", "--format", "json"])["unused"].clone();
    assert!(unused["medium"].as_u64().unwrap() > 0 && unused["high"] == 20_000, "{unused}");
    let why = |path: &str| run(&["why", &word, path, "--format", "json"]);
    for program in UNUSED {
        assert_eq!(why(program)["confidence"], "medium", "{program}");
    }
    for arguments in [&["--"][..], &["--", "more"]] {
        let profile = run(&[&["profile", TAG, "--network", "none"], arguments].concat());
        assert_eq!(profile["exitCode"], 0, "{profile}");
        let opened: Vec<&str> =
            profile["opened"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(opened.len() > USED.len(), "{opened:?}");
        for path in opened {
            let of = why(path);
            assert_eq!(of["confidence"], Value::Null, "{path}: {of}");
        }
    }
}
