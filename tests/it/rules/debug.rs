//! Debug sections: those of programs made in code, and of one that a compiler makes.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use jettison_testkit::image::{LayerBuilder, Meta};
use jettison_testkit::process::run;
use jettison_testkit::require;

use super::case::{Case, Found, image};
use super::elf::{program, read_by_binutils};
use crate::jettison::User;
use crate::owners::executable;
use crate::shop::content;

pub(super) fn cases() -> Vec<Case> {
    vec![debug_symbols()]
}

fn debug_symbols() -> Case {
    let layer = executable(LayerBuilder::new(), "usr/local/bin/tool", program(6000, 2400, 900));
    let layer = layer
        .file("usr/local/lib/libx.so.1.2", program(3000, 240, 90))
        .file("opt/p/site-packages/x.libs/liby.so.3", program(300, 24, 9));
    let layer = executable(layer, "app/node_modules/z/bin/esbuild", program(30, 0, 0));
    // Nothing is left to strip of this one.
    let layer = executable(layer, "usr/local/bin/stripped", program(0, 0, 0));
    // Its own content is checked when it is loaded.
    let layer = layer
        .file("usr/local/lib/libcrypto.so.3", program(600, 48, 18))
        .file("usr/local/lib/.libcrypto.so.3.hmac", content("hmac", 64));
    let signed = Meta::mode(0o755).xattr("security.ima", *b"\x03\x02");
    let layer = layer.file_with("usr/local/bin/signed", program(601, 24, 9), signed);
    // Neither a program nor a library; and one that is too small to matter.
    let layer = layer.file("srv/data.bin", program(602, 24, 9));
    let layer = executable(layer, "usr/local/bin/text", content("text", 9000));
    let found = [
        ("usr/local/bin/tool", 6000 + 2400 + 900),
        ("usr/local/lib/libx.so.1.2", 3000 + 240 + 90),
        ("opt/p/site-packages/x.libs/liby.so.3", 300 + 24 + 9),
        ("app/node_modules/z/bin/esbuild", 30),
    ];
    Case::new("debug-symbols", image(layer), &[Found::files("high", &found)])
}

#[test]
fn debug_sections_are_found_and_what_must_stay_is_not() {
    let document = debug_symbols().check(&User::new());
    let finding = &document["findings"][0];
    assert_eq!(finding["evidence"], "9.1 KiB in .debug_*, 3.6 KiB in .symtab");
}

/// What a compiler makes of some lines.
fn compiled(room: &Path, flags: &[&str]) -> Vec<u8> {
    let source = room.join("a.c");
    let mut lines = "int main(void) { return 0; }\n".to_owned();
    for number in 0..200 {
        let _ = writeln!(lines, "int f{number}(int x) {{ return x * {number}; }}");
    }
    fs_err::write(&source, lines).unwrap();
    let gcc = require::program("gcc", "gcc").unwrap();
    run(Command::new(gcc).args(flags).arg("-o").arg(room.join("a")).arg(source)).unwrap();
    fs_err::read(room.join("a")).unwrap()
}

#[test]
fn a_compilers_program_has_what_binutils_says_and_loses_it_by_strip() {
    for flags in [&["-g"][..], &["-g", "-gz"], &["-g", "-static"], &[]] {
        let user = User::new();
        let bytes = compiled(&user.work(), flags);
        let file = user.path("a");
        let (debug, symbols) = read_by_binutils(&file);
        assert_eq!(debug > 0, flags.contains(&"-g") || flags.contains(&"-static"), "{flags:?}");
        let layer = executable(LayerBuilder::new(), "app/tool", bytes.clone());
        let found = Found::files("high", &[("app/tool", debug + symbols)]);
        Case::new("debug-symbols", image(layer), &[found]).check(&user);
        let strip = require::program("strip", "binutils").unwrap();
        run(Command::new(strip).arg("--strip-unneeded").arg(&file)).unwrap();
        let stripped = fs_err::read(&file).unwrap();
        let saved = (bytes.len() - stripped.len()) as u64;
        // Headers of sections go too, and what fills up to their alignment.
        let told = debug + symbols;
        assert!(saved >= told && saved - told < 4096, "{flags:?}: {saved} saved, {told} told");
        let layer = executable(LayerBuilder::new(), "app/tool", stripped);
        Case::new("debug-symbols", image(layer), &[]).check(&user);
    }
}
