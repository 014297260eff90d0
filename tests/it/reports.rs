//! Lists of reports: what is left out is said, and what is promised to sum does.

use jettison_testkit::image::{Compression, Image, ImageBuilder, ImageFiles, LayerBuilder, Wrap};
use serde_json::{Value, json};

use crate::jettison::User;
use crate::shop;

fn write(user: &User, name: &str, image: Image) {
    ImageFiles::docker_archive_legacy(&[image], false)
        .write_archive(&user.path(name), Wrap::None)
        .unwrap();
}

fn image(layers: impl IntoIterator<Item = LayerBuilder>) -> Image {
    let start = ImageBuilder::new().compression(Compression::Plain);
    layers.into_iter().fold(start, |image, layer| image.layer(layer, "COPY . /")).build()
}

fn user() -> User {
    let user = User::new();
    write(&user, "1.tar", shop::image());
    write(&user, "2.tar", shop::second());
    user
}

/// The lines under a heading.
fn section<'a>(page: &'a str, heading: &str) -> Vec<&'a str> {
    let lines = page.lines().skip_while(|line| *line != heading).skip(1);
    lines.take_while(|line| !line.is_empty()).collect()
}

fn sum(rows: &Value, key: &str) -> i64 {
    rows.as_array().unwrap().iter().map(|row| row[key].as_i64().unwrap()).sum()
}

#[test]
fn rows_that_are_left_out_are_counted() {
    let user = user();
    let page = |more: &[&str]| user.run(&[&["analyze", "1.tar"], more].concat()).text();
    let lists = ["Wasted, and what to do about it", "Largest wasted paths", "Largest duplicates"];
    let large = page(&["--min-bytes", "1MiB"]);
    for (list, rows) in lists.into_iter().zip([
        "174.0 KiB  in 5 rows",
        "174.0 KiB  in 7 rows",
        "68.4 KiB  in 1 row",
    ]) {
        let expected = format!("{rows} under 1.0 MiB left out (--min-bytes)");
        assert_eq!(section(&large, list).iter().map(|l| l.trim()).collect::<Vec<_>>(), [expected]);
    }
    let directories = section(&large, "Largest live directories");
    assert!(directories[0].ends_with("rows under 1.0 MiB left out (--min-bytes)"), "{large}");
    let few = page(&["--top", "1", "--min-bytes", "16KiB"]);
    let wasted = section(&few, "Largest wasted paths");
    let expected = [
        "87.9 KiB  /var/lib/apt/lists/Packages",
        "50.0 KiB  in 1 more (--top)",
        "36.1 KiB  in 5 rows under 16.0 KiB left out (--min-bytes)",
    ];
    assert_eq!(wasted.iter().map(|l| l.trim()).collect::<Vec<_>>(), expected);
    let directories = section(&few, "Largest live directories");
    assert_eq!(directories.len(), 3, "{few}");
    assert!(directories[1].ends_with(" more (--top)"), "{few}");
    let none = page(&["--top", "0"]);
    assert!(!none.contains("Largest live directories"), "{none}");
    // In JSON what sums is whole; paths are cut.
    let small = user.analyze("1.tar");
    let large = user.analyze_with("1.tar", &["--min-bytes", "1MiB", "--top", "1"]);
    for (list, size) in [("waste", "wasted"), ("duplicates", "duplicate")] {
        assert_eq!(sum(&large[list], "bytes"), small["size"][size].as_i64().unwrap());
    }
    assert_eq!(large["waste"][0]["topPaths"], json!([]));
    assert_eq!(
        (&large["duplicates"][0]["paths"], &large["duplicates"][0]["copies"]),
        (&json!([]), &json!(2))
    );
    let one = user.analyze_with("1.tar", &["--top", "1"]);
    assert_eq!(one["duplicates"][0]["paths"], json!(["/opt/shop/data/orders-copy.csv"]));
}

#[test]
fn copies_are_named() {
    let user = User::new();
    let copies = (1..7).fold(LayerBuilder::new(), |layer, number| {
        layer.file(format!("copy-{number}"), shop::content("copy", 2048))
    });
    write(&user, "copies.tar", image([copies]));
    let page = user.run(&["analyze", "copies.tar"]).text();
    let expected = ["10.0 KiB  6x /copy-1", "= /copy-2", "= /copy-3", "= /copy-4", "and 2 more"];
    let rows = section(&page, "Largest duplicates");
    assert_eq!(rows.iter().map(|line| line.trim()).collect::<Vec<_>>(), expected);
}

#[test]
fn a_base_of_which_only_a_part_is_shared_says_so() {
    let user = User::new();
    let layer = |name: &str| LayerBuilder::new().file(name, shop::content(name, 2000));
    write(&user, "base.tar", image(["a", "b", "c"].map(layer)));
    write(&user, "newer.tar", image(["a", "b", "x", "y"].map(layer)));
    write(&user, "child.tar", image(["a", "b", "c", "d"].map(layer)));
    let head = |image: &str, base: &str| {
        // The line of the base may be wrapped.
        let page = user.run(&["analyze", image, "--base", base]).text().replace("\n     ", " ");
        let line = page.lines().find(|line| line.starts_with("base ")).unwrap().to_owned();
        let legend = page.lines().filter(|line| *line == "b: of the base image").count();
        (line.rsplit_once(": ").unwrap().1.to_owned(), legend)
    };
    let words = |text: &str, legend| (text.to_owned(), legend);
    assert_eq!(head("newer.tar", "base.tar"), words("the first 2 layers, 2 of its 3 layers", 1));
    assert_eq!(head("child.tar", "base.tar"), words("the first 3 layers", 1));
    assert_eq!(head("child.tar", "1"), words("the first layer", 1));
    assert_eq!(head("child.tar", "0"), words("no layer", 0));
    let base = user.analyze_with("newer.tar", &["--base", "base.tar"])["base"].clone();
    assert_eq!((&base["layers"], &base["imageLayers"]), (&json!(2), &json!(3)));
}

/// Bytes of `+1.5 KiB`, where the figure is exact.
fn signed(line: &str) -> i64 {
    let (number, unit) = line.trim().split_once(' ').unwrap();
    assert!(unit.starts_with("B "), "{line}");
    number.parse().unwrap()
}

#[test]
fn a_diff_s_column_sums_whatever_is_left_out() {
    let user = User::new();
    let files = |files: &[(&str, usize)]| {
        image([files.iter().fold(LayerBuilder::new(), |layer, (name, length)| {
            layer.file(*name, shop::content(name, *length))
        })])
    };
    write(&user, "old.tar", files(&[("a", 900), ("b", 500), ("c", 30), ("d", 20), ("e", 700)]));
    write(&user, "new.tar", files(&[("a", 100), ("b", 800), ("c", 31), ("d", 10), ("e", 700)]));
    for more in [
        &[][..],
        &["--top", "1"],
        &["--top", "0"],
        &["--min-bytes", "40"],
        &["--top", "1", "--min-bytes", "40"],
        &["--min-bytes", "1MiB"],
    ] {
        let page = user.run(&[&["diff", "old.tar", "new.tar"], more].concat()).text();
        let rows = section(&page, "Files that changed most");
        assert_eq!(rows.iter().map(|line| signed(line)).sum::<i64>(), -509, "{page}");
        // One column.
        assert!(rows.iter().all(|line| line.find(" B  ") == Some(10)), "{page}");
    }
    let json = |more: &[&str]| {
        user.run(&[&["diff", "old.tar", "new.tar", "--format", "json"], more].concat()).json()
    };
    for more in [&[][..], &["--top", "0"]] {
        assert_eq!(sum(&json(more)["files"], "delta"), -509);
    }
    let large = json(&["--min-bytes", "400", "--top", "0"]);
    assert_eq!(large["files"].as_array().unwrap().len(), 2);
    assert_eq!(large["directories"], json!([{ "path": "/", "delta": -509 }]));
    assert_eq!(sum(&large["changes"], "delta"), -509);
    assert_eq!(json(&["--min-bytes", "1MiB"])["directories"], large["directories"]);
}

#[test]
fn a_file_with_several_names_is_one_file() {
    let user = User::new();
    let content = || shop::content("content", 4000);
    let pair = || LayerBuilder::new().file("m/h", content()).hard_link("m/h2", "m/h");
    write(&user, "two.tar", image([pair()]));
    write(&user, "removed.tar", image([pair(), LayerBuilder::new().whiteout("m/h")]));
    write(
        &user,
        "renamed.tar",
        image([LayerBuilder::new().file("m/h2", content()).hard_link("n", "m/h2")]),
    );
    write(
        &user,
        "apart.tar",
        image([LayerBuilder::new().file("m/h", content()).file("m/h2", content())]),
    );
    write(&user, "moved.tar", image([LayerBuilder::new().file("n", content())]));
    let diff = |old: &str, new: &str| {
        let files = user.run(&["diff", old, new, "--format", "json"]).json()["files"].clone();
        let row = |row: &Value| (row["change"].clone(), row["path"].clone(), row["from"].clone());
        files.as_array().unwrap().iter().map(row).collect::<Vec<_>>()
    };
    for same in ["removed.tar", "renamed.tar"] {
        assert_eq!(diff("two.tar", same), [], "{same}");
        assert_eq!(diff(same, "two.tar"), [], "{same}");
    }
    // Content that is there twice is as many bytes more.
    assert_eq!(diff("two.tar", "apart.tar"), [(json!("added"), json!("/m/h2"), json!(null))]);
    assert_eq!(diff("apart.tar", "two.tar"), [(json!("removed"), json!("/m/h2"), json!(null))]);
    assert_eq!(diff("two.tar", "moved.tar"), [(json!("moved"), json!("/n"), json!("/m/h"))]);
}
