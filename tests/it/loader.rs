//! Where the image's own loaders would find shared objects, and what libraries open by name. The
//! objects are made here, without any library of this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use jettison_testkit::image::{ImageBuilder, LayerBuilder};
use jettison_testkit::process::run;
use tempfile::TempDir;

use crate::owners::executable;
use crate::reach::{Run, data, image, layer};

/// Loaders by their place, which tells whose they are.
const GLIBC: &str = "/lib64/ld-linux-x86-64.so.2";
const MUSL: &str = "/lib/ld-musl-x86_64.so.1";

/// A room with the objects of one test.
pub(crate) struct Room(TempDir);

impl Room {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn cc(&self, name: &str, text: &str, arguments: &[&str]) -> Vec<u8> {
        let source = self.path("x.c");
        fs_err::write(&source, text).unwrap();
        let mut cc = Command::new("cc");
        cc.args(["-nostdlib", "-Wl,--no-as-needed", "-Wl,--allow-shlib-undefined", "-o"]);
        cc.arg(self.path(name)).arg(source).args(arguments).current_dir(self.0.path());
        run(&mut cc).unwrap();
        fs_err::read(self.path(name)).unwrap()
    }

    /// A shared object of this name.
    fn library(&self, name: &str, arguments: &[&str]) -> Vec<u8> {
        let soname = format!("-Wl,-soname,{name}");
        self.cc(name, "int x;", &[&["-shared", "-fPIC", &soname], arguments].concat())
    }

    /// A program for a loader.
    fn program(&self, loader: &str, arguments: &[&str]) -> Vec<u8> {
        let loader = format!("-Wl,--dynamic-linker={loader}");
        self.cc("app", "void _start(void) {}", &[&["-pie", "-fPIE", &loader], arguments].concat())
    }
}

fn app(layer: LayerBuilder) -> ImageBuilder {
    image(layer).entrypoint(&["/opt/app"])
}

/// A program that needs `libone.so`, which needs `libtwo.so`, both in `/opt/a`.
fn chain(loader: &str, of_app: &[&str], of_one: &[&str]) -> ImageBuilder {
    let room = Room::new();
    let two = room.library("libtwo.so", &[]);
    let one = room.library("libone.so", &[&["libtwo.so"], of_one].concat());
    let program = room.program(loader, &[&["libone.so"], of_app].concat());
    let layer = executable(LayerBuilder::new(), "opt/app", &program);
    let layer = executable(layer, "opt/a/libone.so", &one);
    app(executable(executable(layer, "opt/a/libtwo.so", &two), "opt/b/libtwo.so", &two))
}

const RPATH: &[&str] = &["-Wl,--disable-new-dtags", "-Wl,-rpath,/opt/a"];
const RUNPATH: &[&str] = &["-Wl,--enable-new-dtags", "-Wl,-rpath,/opt/a"];
const RUNPATH_TO_B: &[&str] = &["-Wl,--enable-new-dtags", "-Wl,-rpath,/opt/b"];
const RUNPATH_TO_NOWHERE: &[&str] = &["-Wl,--enable-new-dtags", "-Wl,-rpath,/opt/none"];

#[test]
fn an_rpath_is_inherited_and_a_runpath_is_not() {
    let found = |a: &str, b: &str| [a, b].map(str::to_owned);
    for (loader, of_app, of_one, expected) in [
        (GLIBC, RPATH, &[][..], found("needed", "none")),
        (GLIBC, RUNPATH, &[][..], found("none", "none")),
        // An object with a RUNPATH looks in nobody's RPATH.
        (GLIBC, RPATH, RUNPATH_TO_B, found("none", "needed")),
        (GLIBC, RPATH, RUNPATH_TO_NOWHERE, found("none", "none")),
        // musl takes both for the same, and looks in those of all that loaded an object.
        (MUSL, RPATH, &[][..], found("needed", "none")),
        (MUSL, RUNPATH, &[][..], found("needed", "none")),
        (MUSL, RPATH, RUNPATH_TO_B, found("none", "needed")),
        (MUSL, RPATH, RUNPATH_TO_NOWHERE, found("needed", "none")),
    ] {
        let run = Run::of(chain(loader, of_app, of_one));
        let of = |path: &str| run.used(path)["evidence"].as_str().unwrap().to_owned();
        assert_eq!(of("/opt/a/libone.so"), "needed", "{loader} {of_app:?} {of_one:?}");
        let two = [of("/opt/a/libtwo.so"), of("/opt/b/libtwo.so")];
        assert_eq!(two, expected, "{loader} {of_app:?} {of_one:?}");
    }
}

#[test]
fn the_environment_comes_before_a_runpath_and_behind_an_rpath() {
    let one = |loader: &str, kind: &[&str], value: &str| {
        let room = Room::new();
        let one = room.library("libone.so", &[]);
        let program = room.program(loader, &[&["libone.so"], kind].concat());
        let layer = executable(LayerBuilder::new(), "opt/app", &program);
        let layer = executable(executable(layer, "opt/a/libone.so", &one), "opt/b/libone.so", &one);
        Run::of(app(layer).env("LD_LIBRARY_PATH", value))
    };
    let (a, b) = ("/opt/a/libone.so", "/opt/b/libone.so");
    for value in ["/opt/b", "/none;/opt/b", "/none:/opt/b:/x", "$ORIGIN/b"] {
        one(GLIBC, RUNPATH, value).evidence(&[(a, "none"), (b, "needed")]);
    }
    one(GLIBC, RPATH, "/opt/b").evidence(&[(a, "needed"), (b, "none")]);
    one(MUSL, RPATH, "/opt/b").evidence(&[(a, "none"), (b, "needed")]);
}

#[test]
fn tokens_stand_for_the_directory_the_library_directory_and_the_platform() {
    let room = Room::new();
    let one = room.library("libone.so", &[]);
    let program = |rpath: &str| room.program(GLIBC, &["libone.so", &format!("-Wl,-rpath,{rpath}")]);
    let libc = room.library("libc.so.6", &[]);
    // Fedora's directory is `lib64`, that of Arch `lib`.
    for (libc_at, at) in [("usr/lib64", "opt/lib64"), ("usr/lib", "opt/lib")] {
        let layer = executable(LayerBuilder::new(), "opt/app", program("/opt/$LIB"));
        let layer = executable(layer, &format!("{libc_at}/libc.so.6"), &libc);
        let layer = executable(layer, &format!("{at}/libone.so"), &one);
        Run::of(app(layer)).evidence(&[(&format!("/{at}/libone.so"), "needed")]);
    }
    let triplet = triplet();
    for (rpath, at) in [
        ("${ORIGIN}/own", "opt/own/libone.so".to_owned()),
        ("$ORIGIN/../srv", "srv/libone.so".to_owned()),
        ("/opt/$LIB", format!("opt/lib/{triplet}/libone.so")),
        ("/opt/$PLATFORM", format!("opt/{}/libone.so", std::env::consts::ARCH)),
    ] {
        let layer = executable(LayerBuilder::new(), "opt/app", program(rpath));
        Run::of(app(executable(layer, &at, &one))).evidence(&[(&format!("/{at}"), "needed")]);
    }
}

/// Debian's name for this machine.
fn triplet() -> String {
    format!("{}-linux-gnu", std::env::consts::ARCH)
}

#[test]
fn directories_come_from_the_configuration_of_the_loader() {
    let room = Room::new();
    let one = room.library("libone.so", &[]);
    let program = |loader: &str, arguments: &[&str]| {
        room.program(loader, &[&["libone.so"], arguments].concat())
    };
    let files = layer(&[
        ("etc/ld.so.conf", "include ld.so.conf.d/*.conf\n"),
        ("etc/ld.so.conf.d/x.conf", "# where it is\n/opt/conf\n"),
        ("etc/ld.so.conf.d/x.off", "/opt/off\n"),
    ]);
    let files = executable(files, "opt/app", program(GLIBC, &[]));
    let files =
        executable(executable(files, "opt/conf/libone.so", &one), "opt/off/libone.so", &one);
    Run::of(app(executable(files, "opt/conf/glibc-hwcaps/x86-64-v3/libone.so", &one))).evidence(&[
        ("/opt/conf/libone.so", "needed"),
        // The processor that it will run on is not known.
        ("/opt/conf/glibc-hwcaps/x86-64-v3/libone.so", "needed"),
        // A configuration names it, which is not the loader's.
        ("/opt/off/libone.so", "package-mate"),
    ]);
    let files = layer(&[("etc/ld-musl-x86_64.path", "/opt/musl\n")]);
    let files = executable(files, "opt/app", program(MUSL, &[]));
    let files =
        executable(executable(files, "opt/musl/libone.so", &one), "usr/lib/libone.so", &one);
    Run::of(app(files))
        .evidence(&[("/opt/musl/libone.so", "needed"), ("/usr/lib/libone.so", "none")]);
    // Where nothing is configured.
    for (loader, at, expected) in [
        (GLIBC, "usr/lib64/libone.so", "needed"),
        (MUSL, "usr/local/lib/libone.so", "needed"),
        (MUSL, "usr/lib64/libone.so", "none"),
    ] {
        let files = executable(LayerBuilder::new(), "opt/app", program(loader, &[]));
        Run::of(app(executable(files, at, &one))).evidence(&[(&format!("/{at}"), expected)]);
    }
    let no_default = program(GLIBC, &["-Wl,-z,nodefaultlib"]);
    let files = executable(LayerBuilder::new(), "opt/app", &no_default);
    Run::of(app(executable(files, "usr/lib64/libone.so", &one)))
        .evidence(&[("/usr/lib64/libone.so", "none")]);
}

#[test]
fn objects_that_are_opened_by_name_are_declared_or_named() {
    let room = Room::new();
    let note = r#"__asm__(".pushsection .note.dlopen,\"a\",%note\n.balign 4\n"
".long 4, 2f-1f, 0x407c0c0a\n.asciz \"FDO\"\n1: .asciz \"[{\\\"soname\\\":[\\\"libnoted.so.1\\\"]}]\"\n2:\n"
".balign 4\n.popsection");
const char *named = "libnamed.so.2";
void _start(void) {}"#;
    let loader = format!("-Wl,--dynamic-linker={GLIBC}");
    let program = room.cc("app", note, &["-pie", "-fPIE", &loader]);
    let mut files = executable(LayerBuilder::new(), "opt/app", &program);
    for name in ["libnoted.so.1", "libnamed.so.2", "libother.so.3"] {
        files = executable(files, &format!("usr/lib/{name}"), room.library(name, &[]));
    }
    let run = Run::of(app(files));
    run.evidence(&[("/usr/lib/libother.so.3", "none")]);
    for (name, how) in [("libnoted.so.1", "declared by"), ("libnamed.so.2", "named in")] {
        let path = format!("/usr/lib/{name}");
        run.how(&path, &[&format!("{path} {how}"), "/opt/app ENTRYPOINT"]);
    }
}

/// An image whose program needs the library `name` in `directory`, beside other files.
fn beside(name: &str, directory: &str, files: &[&str], more: &[(&str, &str)]) -> ImageBuilder {
    let room = Room::new();
    let library = room.library(name, &[]);
    let program = room.program(GLIBC, &[name, &format!("-Wl,-rpath,/{directory}")]);
    let layer = executable(layer(more), "opt/app", &program);
    app(data(executable(layer, &format!("{directory}/{name}"), &library), files))
}

#[test]
fn libraries_open_services_plugins_and_character_sets() {
    let services = beside(
        "libc.so.6",
        "usr/lib",
        &["usr/lib/libnss_files.so.2", "usr/lib/libnss_sss.so.2", "usr/lib/libnss_other.so.2"],
        &[("etc/nsswitch.conf", "passwd: files sss # other\n")],
    );
    Run::of(services).evidence(&[
        ("/usr/lib/libnss_files.so.2", "named"),
        ("/usr/lib/libnss_sss.so.2", "named"),
        ("/usr/lib/libnss_other.so.2", "none"),
    ]);
    for (name, plugin) in [
        ("libsasl2.so.2", "usr/lib/sasl2/libplain.so"),
        ("libcrypto.so.3", "usr/lib/engines-3/padlock.so"),
        ("libcrypto.so.3", "usr/lib/ossl-modules/legacy.so"),
        ("libkrb5.so.3", "usr/lib/krb5/plugins/preauth/spake.so"),
    ] {
        let run = Run::of(beside(name, "usr/lib", &[plugin, "usr/lib/other/x.so"], &[]));
        run.evidence(&[(&format!("/{plugin}"), "named"), ("/usr/lib/other/x.so", "none")]);
    }
}

#[test]
fn character_sets_stand_beside_the_c_library_or_below_usr() {
    let files = ["UTF-16", "EUC-JP", "IBM037"].map(|set| format!("usr/lib/gconv/{set}.so"));
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    for directory in ["usr/lib", "lib"] {
        let image = beside("libc.so.6", directory, &files, &[]).env("LANG", "ja_JP.eucJP");
        Run::of(image).evidence(&[
            ("/usr/lib/gconv/UTF-16.so", "package-mate"),
            ("/usr/lib/gconv/EUC-JP.so", "named"),
            ("/usr/lib/gconv/IBM037.so", "none"),
        ]);
    }
}

#[test]
fn an_object_of_another_class_is_passed_by() {
    let room = Room::new();
    let one = room.library("libone.so", &[]);
    let mut other = one.clone();
    // Another machine's.
    other[18] ^= 0xff;
    let program = room.program(GLIBC, &["libone.so", "-Wl,-rpath,/opt/a:/opt/b"]);
    let layer = executable(LayerBuilder::new(), "opt/app", &program);
    let layer = executable(executable(layer, "opt/a/libone.so", &other), "opt/b/libone.so", &one);
    Run::of(app(layer)).evidence(&[("/opt/a/libone.so", "none"), ("/opt/b/libone.so", "needed")]);
    assert!(!Path::new("/opt/b/libone.so").exists(), "nothing of this machine is looked at");
}
