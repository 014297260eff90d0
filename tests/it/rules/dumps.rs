//! Memory of crashed programs, and files that are mostly holes.

use jettison_testkit::image::{LayerBuilder, SparseFormat};

use super::case::{Case, Found, image};
use super::elf::{core_dump, program};
use crate::jettison::User;
use crate::shop::content;

pub(super) fn cases() -> Vec<Case> {
    vec![core_dumps(), sparse_giants()]
}

fn core_dumps() -> Case {
    let layer = LayerBuilder::new()
        .file("app/core", core_dump(5000))
        .file("srv/core.1234", core_dump(400))
        .file("srv/app.core", core_dump(300))
        .file("srv/java.hprof", content("heap", 64 << 10))
        .file("srv/hs_err_pid7.log", content("java", 200))
        // Texts and programs have such names, too.
        .file("app/lib/core", content("core", 700))
        .file("app/lib/core.js", content("core.js", 700))
        .file("app/bin/core", program(0, 0, 0))
        .file("app/profile.hprof", content("small", 700))
        .file("etc/core", "core\n");
    let found = Found::files(
        "high",
        &[
            ("app/core", 5000),
            ("srv/core.1234", 400),
            ("srv/app.core", 300),
            ("srv/java.hprof", 64 << 10),
            ("srv/hs_err_pid7.log", 200),
        ],
    );
    Case::new("core-dumps", image(layer), &[found])
}

/// What `useradd` with a large number makes, in each shape that tar has for it.
fn sparse_giants() -> Case {
    let data: &[(u64, &[u8])] = &[(0, &[7; 512])];
    let layer = LayerBuilder::new()
        .sparse("var/log/lastlog", SparseFormat::Pax10, 300 << 30, data)
        .sparse("var/log/faillog", SparseFormat::Gnu, 2 << 20, data)
        .sparse("srv/disk.img", SparseFormat::Pax01, 20 << 20, data)
        // Smaller ones do not matter.
        .sparse("srv/small.img", SparseFormat::Gnu, 15 << 20, data)
        .file("srv/lastlog", content("lastlog", 2 << 20));
    let found = Found::files(
        "high",
        &[("var/log/lastlog", 300 << 30), ("var/log/faillog", 2 << 20), ("srv/disk.img", 20 << 20)],
    );
    Case::new("sparse-giants", image(layer), &[found])
}

#[test]
fn dumps_and_giants_are_told_by_what_they_are() {
    let user = User::new();
    for case in cases() {
        case.check(&user);
    }
    let document = sparse_giants().check(&user);
    assert_eq!(document["findings"][0]["severity"], "high");
}
