//! The life of a path: hard links, symlinks on the way, causes, and what is below a directory.

use jettison_testkit::image::{
    Compression, Image, ImageBuilder, ImageFiles, LayerBuilder, Meta, Wrap,
};
use serde_json::{Value, json};

use crate::jettison::User;
use crate::shop;

fn write(user: &User, name: &str, image: Image) {
    ImageFiles::docker_archive_legacy(&[image], false)
        .write_archive(&user.path(name), Wrap::None)
        .unwrap();
}

fn image(layers: impl IntoIterator<Item = (LayerBuilder, &'static str)>) -> Image {
    let start = ImageBuilder::new().compression(Compression::Plain);
    layers.into_iter().fold(start, |image, (layer, text)| image.layer(layer, text)).build()
}

fn why(user: &User, name: &str, path: &str) -> Value {
    user.run(&["why", name, path, "--format", "json"]).json()
}

fn text(user: &User, name: &str, path: &str) -> String {
    user.run(&["why", name, path]).text()
}

/// An event without its layer's name: layer, action, added, hidden by cause.
type Event = (u64, String, u64, Vec<(String, u64)>);

fn events(why: &Value) -> Vec<Event> {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let rows = why["events"].as_array().unwrap().iter();
    rows.map(|row| {
        let causes = row["causes"].as_array().unwrap().iter();
        let causes = causes.map(|c| (word(&c["cause"]), c["bytes"].as_u64().unwrap())).collect();
        let number = |key: &str| row[key].as_u64().unwrap();
        (number("layer"), word(&row["action"]), number("added"), causes)
    })
    .collect()
}

/// a and b are one file; a goes, c comes, b is written anew with another mode, c goes in the end.
fn linked(last: bool) -> Image {
    let layers = [
        (
            LayerBuilder::new()
                .file("data/a", shop::content("a", 5000))
                .hard_link("data/b", "data/a"),
            "ADD f /",
        ),
        (LayerBuilder::new().whiteout("data/a"), "RUN rm /data/a"),
        (LayerBuilder::new().hard_link("data/c", "data/b"), "RUN ln /data/b /data/c"),
        (
            LayerBuilder::new().file_with("data/b", shop::content("a", 5000), Meta::mode(0o600)),
            "RUN chmod 600 /data/b",
        ),
        (LayerBuilder::new().whiteout("data/c"), "RUN rm /data/c"),
    ];
    image(layers.into_iter().take(if last { 5 } else { 4 }))
}

#[test]
fn content_is_followed_through_hard_links() {
    let user = User::new();
    write(&user, "hl.tar", linked(false));
    let c = why(&user, "hl.tar", "/data/c");
    assert_eq!(
        (&c["state"], &c["layer"], &c["bytes"], &c["live"]),
        (&json!("live"), &json!(0), &json!(5000), &json!(5000))
    );
    assert_eq!(c["events"][0]["hardLinkTo"], "/data/b");
    assert!(text(&user, "hl.tar", "/data/c").contains("adds a hard link to /data/b"));
    // The name is gone, the content is not.
    let a = why(&user, "hl.tar", "/data/a");
    assert_eq!(
        (&a["state"], &a["final"], &a["bytes"]),
        (&json!("live"), &json!(null), &json!(5000))
    );
    assert_eq!((&a["live"], &a["wasted"], &a["kept"]), (&json!(0), &json!(0), &json!(5000)));
    assert_eq!(a["keptBy"], json!([{ "path": "/data/c", "bytes": 5000 }]));
    let page = text(&user, "hl.tar", "/data/a");
    assert!(page.contains("its content is, under another name"), "{page}");
    assert!(page.contains("live under other paths 4.9 KiB"), "{page}");
    assert!(page.contains("   4.9 KiB  /data/c\n"), "{page}");
    // The old content of a name that has a new one.
    let b = why(&user, "hl.tar", "/data/b");
    assert_eq!((&b["layer"], &b["live"], &b["kept"]), (&json!(3), &json!(5000), &json!(5000)));
    let all = why(&user, "hl.tar", "/");
    assert_eq!((&all["live"], &all["kept"]), (&json!(10_000), &json!(0)));
    // Once the last name is gone, the layer that took it is in the life of every one of them.
    write(&user, "gone.tar", linked(true));
    let a = why(&user, "gone.tar", "/data/a");
    assert_eq!(
        (&a["state"], &a["layer"], &a["wasted"]),
        (&json!("wasted"), &json!(0), &json!(5000))
    );
    let removed = |bytes| vec![("removed".to_owned(), bytes)];
    assert_eq!(
        events(&a),
        [
            (0, "adds".to_owned(), 5000, vec![]),
            (1, "removes".to_owned(), 0, vec![]),
            (4, "unlinks".to_owned(), 0, removed(5000)),
        ]
    );
    assert!(text(&user, "gone.tar", "/data/a").contains("last other name of the content"));
    let c = why(&user, "gone.tar", "/data/c");
    let last = (4, "removes".to_owned(), 0, removed(5000));
    assert_eq!((events(&c).last(), &c["wasted"]), (Some(&last), &json!(5000)));
    // Names of a file that stands there.
    let names = (0..5).fold(LayerBuilder::new().file("f", "content"), |layer, number| {
        layer.hard_link(format!("link-{number}"), "f")
    });
    write(&user, "names.tar", image([(names, "ADD f /")]));
    let one = why(&user, "names.tar", "/link-1");
    assert_eq!(one["hardLinks"], json!(["/f", "/link-0", "/link-2", "/link-3", "/link-4"]));
    let page = text(&user, "names.tar", "/f");
    assert!(page.contains("hard link with /link-0\n"), "{page}");
    assert!(page.contains("and 2 other names\n"), "{page}");
}

#[test]
fn a_symlink_on_the_way_is_named() {
    let user = User::new();
    let layer = LayerBuilder::new()
        .file("usr/bin/ls", shop::content("ls", 3000))
        .symlink("bin", "usr/bin")
        .symlink("alt", "/etc/../bin")
        .symlink("usr/bin/dir", "ls")
        .symlink("loop", "loop");
    let before = LayerBuilder::new().file("bin/ls", shop::content("old", 2000));
    write(&user, "links.tar", image([(before, "ADD old /"), (layer, "ADD usr /")]));
    let bin = why(&user, "links.tar", "/bin/ls");
    let through = json!({ "link": "/bin", "target": "usr/bin", "leadsTo": "/usr/bin/ls" });
    assert_eq!(bin["through"], through);
    assert_eq!((&bin["state"], &bin["wasted"]), (&json!("wasted"), &json!(2000)));
    let replaced = vec![("replaced".to_owned(), 2000)];
    assert_eq!(events(&bin)[1], (1, "replaces-above".to_owned(), 0, replaced));
    let page = text(&user, "links.tar", "/bin/ls");
    assert!(page.contains("/bin is a symlink to usr/bin: see /usr/bin/ls\n"), "{page}");
    let alt = why(&user, "links.tar", "/alt/none/below");
    let through =
        json!({ "link": "/alt", "target": "/etc/../bin", "leadsTo": "/usr/bin/none/below" });
    assert_eq!((&alt["state"], &alt["through"]), (&json!("absent"), &through));
    let circle = why(&user, "links.tar", "/loop/x");
    assert_eq!(circle["through"], json!({ "link": "/loop", "target": "loop", "leadsTo": null }));
    assert!(text(&user, "links.tar", "/loop/x").contains("links lead in a circle"));
    // A link that is itself the path, and a path without one.
    for path in ["/bin", "/usr/bin/dir", "/usr/bin/ls", "/nothing"] {
        assert_eq!(why(&user, "links.tar", path)["through"], json!(null), "{path}");
    }
}

#[test]
fn every_hidden_byte_has_its_cause() {
    let user = User::new();
    write(&user, "shop.tar", shop::image());
    for (path, layer, action, cause) in [
        ("/opt/shop/bin/shop", 3, "rewrites", "metadata-only"),
        ("/var/lib/apt/lists/Packages", 4, "removes-above", "removed"),
        ("/var/lib/apt/lists", 4, "removes", "removed"),
        ("/var", 4, "removes-below", "removed"),
        ("/opt/shop/cache", 5, "empties", "opaque"),
        ("/opt/shop/cache/old", 5, "empties", "opaque"),
        ("/srv/was-a-file", 5, "rewrites", "replaced"),
        ("/srv/was-a-directory/one", 5, "replaces-above", "replaced"),
        ("/srv/twice", 6, "adds", "repeated"),
    ] {
        let why = why(&user, "shop.tar", path);
        let found = events(&why).into_iter().find(|(.., causes)| !causes.is_empty()).unwrap();
        assert_eq!((found.0, &*found.1, &*found.3[0].0), (layer, action, cause), "{path}");
        assert_eq!(found.3[0].1, why["wasted"].as_u64().unwrap(), "{path}");
        let page = text(&user, "shop.tar", path);
        assert!(page.contains(&format!("({cause})")), "{page}");
    }
    let whole = why(&user, "shop.tar", "/");
    let hidden: u64 = events(&whole).iter().flat_map(|row| &row.3).map(|(_, bytes)| bytes).sum();
    let sizes = user.analyze("shop.tar")["size"].clone();
    assert_eq!(sizes["wasted"], hidden);
    assert_eq!((&whole["live"], &whole["wasted"]), (&sizes["live"], &sizes["wasted"]));
}

#[test]
fn what_is_below_a_directory_sums_and_is_cut() {
    let user = User::new();
    write(&user, "shop.tar", shop::image());
    let below = |more: &[&str]| {
        let why = [&["why", "shop.tar", "/opt/shop", "--format", "json"], more].concat();
        user.run(&why).json()
    };
    let all = below(&["--top", "99"]);
    for key in ["live", "wasted"] {
        let rows = all["below"].as_array().unwrap().iter();
        assert_eq!(all[key], rows.map(|row| row[key].as_u64().unwrap()).sum::<u64>(), "{key}");
    }
    assert_eq!(all["below"][0]["path"], "/opt/shop/data");
    let few = below(&["--top", "2"]);
    assert_eq!(few["below"].as_array().unwrap()[..], all["below"].as_array().unwrap()[..2]);
    assert_eq!(few["live"], all["live"]);
    let large = below(&["--min-bytes", "40KiB"]);
    let paths = large["below"].as_array().unwrap().iter().map(|row| &row["path"]);
    assert_eq!(paths.collect::<Vec<_>>(), ["/opt/shop/data", "/opt/shop/bin/shop"]);
    let page = user.run(&["why", "shop.tar", "/opt/shop", "--top", "1", "--min-bytes", "40KiB"]);
    let page = page.text();
    assert!(page.contains("in 1 more (--top)\n"), "{page}");
    assert!(page.contains("rows under 40.0 KiB left out (--min-bytes)\n"), "{page}");
}
