//! Programs that other programs start by names in their code.

use jettison_testkit::image::LayerBuilder;

use crate::loader::Room;
use crate::owners::executable;
use crate::reach::{Run, image, layer, programs};

const STANDARD: &str = "usr/lib/python3.11";

#[test]
fn what_the_code_of_an_application_starts_is_followed() {
    let os = format!("{STANDARD}/os.py");
    let library = format!("{STANDARD}/library.py");
    let layer = layer(&[
        (
            "srv/app.py",
            "import library, subprocess\nsubprocess.run(['/opt/a', x])\ncmd = ['b', '-x']\n\
             log(\"c -o {}\")\nlog('d is nice')\nopen('/opt/words')\n",
        ),
        (&os, ""),
        // What a library asks for may be missing.
        (
            &library,
            "import subprocess, shutil\nsubprocess.check_output(\n  ['e'])\nshutil.which('f')\n\
             x = ['f', '-g']\n",
        ),
        ("opt/words", "words"),
    ]);
    let layer = programs(
        layer,
        &[
            "usr/bin/python3.11",
            "opt/a",
            "usr/bin/b",
            "usr/bin/c",
            "usr/bin/d",
            "usr/bin/e",
            "usr/bin/f",
        ],
    );
    let layer = layer.symlink("usr/bin/python3", "python3.11");
    let run = Run::of(image(layer).cmd(&["python3", "/srv/app.py"]));
    run.evidence(&[
        ("/opt/a", "named"),
        ("/usr/bin/b", "named"),
        ("/usr/bin/c", "named"),
        ("/usr/bin/d", "none"),
        ("/usr/bin/e", "named"),
        ("/usr/bin/f", "none"),
        ("/opt/words", "named"),
    ]);
    run.how(
        "/usr/bin/b",
        &["/usr/bin/b command in", "/srv/app.py script of", "/usr/bin/python3.11 CMD"],
    );
}

#[test]
fn every_language_has_its_ways_to_start_a_program() {
    for (interpreter, name, text) in [
        (
            "node",
            "app.js",
            "const { execFile } = require('child_process');\nexecFile('a', ['-b']);",
        ),
        ("ruby", "app.rb", "out = `a -b`"),
        ("perl", "app.pl", "open(my $f, '-|', 'x'); my @l = qx(a -b);"),
        ("php", "app.php", "<?php shell_exec('a -b 2>&1');"),
    ] {
        let path = format!("srv/{name}");
        let layer = programs(
            layer(&[(&path, text)]),
            &[&format!("usr/bin/{interpreter}"), "usr/bin/a", "usr/bin/b"],
        );
        let run = Run::of(image(layer).cmd(&[interpreter, &format!("/{path}")]));
        run.evidence(&[("/usr/bin/a", "named"), ("/usr/bin/b", "none")]);
    }
}

#[test]
fn a_service_starts_its_parts_from_a_directory_that_it_names() {
    let room = Room::new();
    let text = "const char *parts = \"/usr/lib/service\"; const char *all = \"/usr/bin\"; void _start(void) {}";
    let service = room.cc("service", text, &["-pie", "-fPIE"]);
    let layer = executable(LayerBuilder::new(), "usr/sbin/service", &service);
    let layer =
        programs(layer, &["usr/lib/service/part", "usr/lib/service/more/deep", "usr/bin/other"])
            .file("usr/lib/service/text", "text")
            .symlink("usr/lib/service/second", "/usr/lib/elsewhere/second");
    let layer = programs(layer, &["usr/lib/elsewhere/second", "usr/lib/elsewhere/third"]);
    let run = Run::of(image(layer).entrypoint(&["service"]));
    run.evidence(&[
        ("/usr/lib/service/part", "named"),
        ("/usr/lib/service/more/deep", "none"),
        ("/usr/bin/other", "none"),
        ("/usr/lib/elsewhere/second", "named"),
        ("/usr/lib/elsewhere/third", "none"),
    ]);
    run.how(
        "/usr/lib/service/part",
        &["/usr/lib/service/part program of a directory in", "/usr/sbin/service ENTRYPOINT"],
    );
}

#[test]
fn a_program_leaves_its_plugins_to_a_library_of_its_own_package() {
    let room = Room::new();
    let opens = "int dlopen(void); int open_all(void) { return dlopen(); }";
    let library = room.cc("libown.so", opens, &["-shared", "-fPIC", "-Wl,-soname,libown.so"]);
    let text = "const char *all = \"/usr/lib/app/plugins\"; void _start(void) {}";
    let app = room.cc("app", text, &["-pie", "-fPIE", "libown.so"]);
    for (owned, evidence) in [("/usr/lib/libown.so", "named"), ("/usr/lib/other", "none")] {
        let status = "Package: app\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n";
        let list = format!("/usr/bin/app\n{owned}\n");
        let layer =
            layer(&[("var/lib/dpkg/status", status), ("var/lib/dpkg/info/app.list", &list)]);
        let layer = executable(layer, "usr/bin/app", &app);
        let layer = executable(layer, "usr/lib/libown.so", &library);
        let layer = layer.file("usr/lib/app/plugins/one.so", "one");
        let run = Run::of(image(layer).entrypoint(&["app"]));
        run.evidence(&[("/usr/lib/app/plugins/one.so", evidence)]);
    }
}
