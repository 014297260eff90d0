//! The image that most tests read: small, of this code alone, with every cause of waste and every
//! kind of entry in it.

use jettison_oci::Platform;
use jettison_testkit::image::{
    Compression, Image, ImageBuilder, ImageFiles, LayerBuilder, LongNames, Meta, SparseFormat, Wrap,
};

use crate::jettison::User;

pub(crate) const TAG: &str = "example.test/shop:1";

/// So many bytes that no other name has.
pub(crate) fn content(name: &str, length: usize) -> Vec<u8> {
    (0_usize..).flat_map(|line| format!("{name} {line}\n").into_bytes()).take(length).collect()
}

/// Version 1, with layers that are not compressed.
pub(crate) fn image() -> Image {
    builder().build()
}

/// A user with version 1 in `shop.tar`.
pub(crate) fn user() -> User {
    let user = User::new();
    ImageFiles::docker_archive_legacy(&[image()], false)
        .write_archive(&user.path("shop.tar"), Wrap::None)
        .unwrap();
    user
}

/// Version 1, to be changed.
pub(crate) fn builder() -> ImageBuilder {
    // What layers can hold, and no engine takes in or gives out again.
    let sparse: [(u64, &[u8]); 2] = [(0, &[7; 512]), (102_400, &[9; 1024])];
    let odd = LayerBuilder::new()
        .sparse("opt/shop/data/sparse.db", SparseFormat::Pax10, 200_000, &sparse)
        .file("srv/twice", content("first", 4000))
        .file("srv/twice", content("second", 4100));
    finish(instructions(ImageBuilder::new()), last().append(odd))
}

/// Version 1 as engines take it, on top of other layers.
pub(crate) fn for_engines(base: ImageBuilder) -> Image {
    finish(instructions(base), last()).build()
}

fn finish(image: ImageBuilder, last: LayerBuilder) -> ImageBuilder {
    image
        .layer(last, "RUN /bin/sh -c shop --warm # buildkit")
        .empty("ENTRYPOINT [\"/opt/shop/bin/shop\"]")
        .tag(TAG)
}

/// Version 2: the last layers differ.
pub(crate) fn second() -> Image {
    let layer = LayerBuilder::new()
        .file_with("opt/shop/bin/shop", content("shop", 60 << 10), Meta::mode(0o755))
        .file("opt/shop/etc/prices.csv", content("dearer", 20 << 10))
        .file("opt/shop/etc/small.conf", content("conf", 100))
        .whiteout("opt/shop/data/orders.csv")
        .file("opt/shop/archive/orders.csv", content("orders", 70_000))
        .whiteout("usr/share/doc/shop")
        .file("opt/shop/new.bin", content("new", 12_345));
    instructions(ImageBuilder::new())
        .layer(layer, "COPY --chmod=755 version2 /opt/shop # buildkit")
        .empty("ENTRYPOINT [\"/opt/shop/bin/shop\"]")
        .tag("example.test/shop:2")
        .build()
}

/// The layers of the base image, under `instructions`.
pub(crate) fn base() -> LayerBuilder {
    LayerBuilder::new()
        .directory("etc")
        .file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
        .file_with("etc/shadow", "root:*:::::::\n", Meta::mode(0o640).owner(0, 42))
        .directory("usr/bin")
        .file_with("usr/bin/tool", content("tool", 40 << 10), Meta::mode(0o755))
        .hard_link("usr/bin/tool-1", "usr/bin/tool")
        .symlink("usr/bin/t", "tool")
        .file("usr/lib/libshop.so.1", content("library", 30 << 10))
        .symlink("usr/lib/libshop.so", "libshop.so.1")
        .directory_with("tmp", Meta::mode(0o1777))
        .char_device("dev/null", 1, 3)
        .block_device("dev/loop0", 7, 0)
        .fifo("run/shop.fifo")
        .file("srv/was-a-directory/one", content("one", 5000))
        .file("srv/was-a-directory/two", content("two", 6000))
        .file("srv/was-a-file", content("file", 7000))
}

fn instructions(image: ImageBuilder) -> ImageBuilder {
    let long = format!("opt/shop/{}/deep.txt", "a-long-directory-name/".repeat(8));
    image
        .platform(Platform::new("linux", "amd64", None))
        .compression(Compression::Plain)
        .layer(base(), "/bin/sh -c #(nop) ADD file:rootfs.tar.xz in / ")
        .empty("/bin/sh -c #(nop)  CMD [\"/bin/sh\"]")
        .layer(
            LayerBuilder::new()
                .directory("var/lib/apt/lists")
                .file("var/lib/apt/lists/Packages", content("packages", 90_000))
                .file("var/lib/apt/lists/lock", "")
                .file("usr/bin/tool", content("newer tool", 44 << 10))
                .file("usr/share/doc/shop/copyright", content("copyright", 9000)),
            "RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends a-package \
             another-package and-a-third-one # buildkit",
        )
        .layer(
            LayerBuilder::new()
                .directory("opt/shop/bin")
                .file_with("opt/shop/bin/shop", content("shop", 50 << 10), Meta::mode(0o644))
                .file("opt/shop/etc/prices.csv", content("prices", 20 << 10))
                .file("opt/shop/etc/small.conf", content("conf", 3000))
                .file("opt/shop/data/orders.csv", content("orders", 70_000))
                .file("opt/shop/data/orders-copy.csv", content("orders", 70_000))
                .file("opt/shop/cache/old/page.html", content("page", 15_000))
                .long_names(LongNames::Gnu)
                .file(&long, content("deep", 1234))
                .file("opt/shop/umlaut-ä/日本語の長い名前/ファイル.txt", content("wide", 2222))
                .file(b"opt/shop/latin-\xe4\xf6\xfc.txt", content("latin", 1111))
                .file("opt/shop/new\nline\x1b[31m.txt", content("control", 999))
                .file_with(
                    "opt/shop/with-xattr",
                    content("xattr", 500),
                    Meta::mode(0o755).xattr("user.shop", *b"1"),
                ),
            "COPY . /opt/shop # buildkit",
        )
        .layer(
            LayerBuilder::new().file_with(
                "opt/shop/bin/shop",
                content("shop", 50 << 10),
                Meta::mode(0o755),
            ),
            "RUN /bin/sh -c chmod 755 /opt/shop/bin/shop # buildkit",
        )
        .layer(
            LayerBuilder::new().whiteout("var/lib/apt/lists"),
            "RUN /bin/sh -c rm -rf /var/lib/apt/lists # buildkit",
        )
        .layer(
            LayerBuilder::new()
                .opaque("opt/shop/cache")
                .file("opt/shop/cache/index.json", "{\"warm\":true}\n")
                .symlink("srv/was-a-directory", "/opt/shop")
                .directory("srv/was-a-file"),
            "RUN /bin/sh -c reorganise --all # buildkit",
        )
}

/// The last layer of version 1.
fn last() -> LayerBuilder {
    LayerBuilder::new().file("opt/shop/cache/warm.bin", content("warm", 16 << 10))
}

/// Names and instructions that would act on a terminal or break a table, all wasted.
pub(crate) fn odd_names() -> Image {
    let names: [&[u8]; 8] = [
        "ä/日本語の長い名前の中にあるもっと長い名前のディレクトリ/とても長い名前のファイル.txt"
            .as_bytes(),
        b"latin-\xe4\xf6\xfc.txt",
        b"new\nline",
        b"\x1b[31mred\x1b[0m",
        "turned-\u{202e}gnp.exe".as_bytes(),
        b"back\\slash",
        "e\u{301}-combining".as_bytes(),
        b"trailing space ",
    ];
    let long = ["long-name/".repeat(40), "end.txt".to_owned()].concat();
    let (mut brought, mut gone) = (LayerBuilder::new(), LayerBuilder::new());
    for (number, name) in names.into_iter().chain([long.as_bytes()]).enumerate() {
        brought = brought.file(name, content("odd", 1000 + number));
        gone = gone.whiteout(name);
    }
    ImageBuilder::new()
        .platform(Platform::new("linux", "arm64", None))
        .compression(Compression::Plain)
        .layer(brought, "COPY ./日本語の長い名前の中にあるもっと長い名前のディレクトリとファイル \x1b]0;title\x07 /")
        .layer(gone, &format!("RUN /bin/sh -c rm\n\t{}", "-rf ./a-path-of-some-length ".repeat(30)))
        .entrypoint(&["\x1b[2Jclear"])
        .tag("example.test/odd:1")
        .build()
}
