//! The demonstration image: files of the machine's own Debian packages, the usual sins in its
//! layers. The same machine gives the same image every time.

mod content;
mod packages;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::ensure;
use jettison_oci::Platform;

use crate::image::{Compression, Image, ImageBuilder, LayerBuilder, Meta, gzip};
use packages::{Database, Package};

/// The tag of the demonstration image.
pub const TAG: &str = "example.test/shop:1.4.2";

/// What a small base image of Debian starts from; dependencies come along.
const BASE: [&str; 18] = [
    "base-files",
    "base-passwd",
    "bash",
    "dash",
    "coreutils",
    "perl-base",
    "dpkg",
    "apt",
    "debianutils",
    "findutils",
    "grep",
    "gzip",
    "libc-bin",
    "mawk",
    "ncurses-base",
    "sed",
    "sensible-utils",
    "tar",
];
const BASE_BUDGET: u64 = 66 << 20;

/// What the build installs and the shop never runs. A machine that compiles Rust has the first.
const TOOLCHAIN: [&str; 6] =
    ["binutils", "libc6-dev", "make", "ca-certificates", "openssl", "python3-minimal"];
const TOOLCHAIN_BUDGET: u64 = 22 << 20;

const USERS: &str = "root:x:0:0:root:/root:/bin/bash\n\
    daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n\
    www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n\
    nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
const GROUPS: &str = "root:x:0:\ndaemon:x:1:\nwww-data:x:33:\nnogroup:x:65534:\n";

const LISTS: &str = "var/lib/apt/lists/mirror.example_debian_dists_bookworm_";

/// Makes the demonstration image. Fails where the machine has no Debian packages to take from.
pub fn image() -> anyhow::Result<Image> {
    let database = Database::read(Path::new("/"))?;
    let base = database.select(&BASE, &[], BASE_BUDGET);
    ensure!(base.iter().any(|package| package.name == "perl-base"), "perl-base is not installed");
    let toolchain = database.select(&TOOLCHAIN, &base, TOOLCHAIN_BUDGET);
    let app = App::new();
    let image = ImageBuilder::new()
        .platform(Platform::host())
        .compression(Compression::Plain)
        .tag(TAG)
        .layer(root_filesystem(&base)?, "/bin/sh -c #(nop) ADD file:rootfs.tar.xz in / ")
        .empty("/bin/sh -c #(nop)  CMD [\"bash\"]")
        .empty("ENV SHOP_HOME=/opt/shop")
        .layer(
            install(&base, &toolchain)?,
            "RUN /bin/sh -c apt-get update && apt-get install -y binutils libc6-dev make \
             ca-certificates openssl python3-minimal # buildkit",
        )
        .layer(LayerBuilder::new().directory("src"), "WORKDIR /src")
        .layer(app.sources(), "COPY . /src # buildkit")
        .layer(app.build(), "RUN /bin/sh -c make -j4 && make install PREFIX=/opt/shop # buildkit")
        .layer(app.installed(0o755), "RUN /bin/sh -c chmod -R 0755 /opt/shop # buildkit")
        .layer(
            LayerBuilder::new()
                .whiteout("src")
                .directory("var/lib/apt/lists")
                .whiteout(format!("{LISTS}InRelease"))
                .whiteout(format!("{LISTS}main_binary-amd64_Packages"))
                .whiteout("var/lib/apt/lists/lock"),
            "RUN /bin/sh -c rm -rf /src /var/lib/apt/lists/* # buildkit",
        )
        .layer(
            app.assets("usr/share/shop/assets", 0o644),
            "COPY assets /usr/share/shop/assets # buildkit",
        )
        .layer(
            LayerBuilder::new()
                .directory("opt/shop/cache")
                .opaque("opt/shop/cache")
                .file("opt/shop/cache/index.json", "{\"warm\":true}\n"),
            "RUN /bin/sh -c rm -rf /opt/shop/cache && shop-server --warm # buildkit",
        )
        .env("PATH", "/opt/shop/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("SHOP_HOME", "/opt/shop")
        .expose("8080/tcp")
        .workdir("/opt/shop")
        .user("www-data")
        .label("org.opencontainers.image.title", "shop")
        .label("org.opencontainers.image.version", "1.4.2")
        .entrypoint(&["/opt/shop/bin/shop-server"])
        .cmd(&["--port", "8080"])
        .empty("EXPOSE map[8080/tcp:{}]")
        .empty("USER www-data")
        .empty("ENTRYPOINT [\"/opt/shop/bin/shop-server\"]")
        .empty("CMD [\"--port\" \"8080\"]")
        .build();
    Ok(image)
}

/// The base image's only layer.
fn root_filesystem(base: &[Package]) -> anyhow::Result<LayerBuilder> {
    let layer = packages::files(base)?
        .append(packages::records(base))
        .file("etc/passwd", USERS)
        .file("etc/group", GROUPS)
        .file_with("etc/shadow", "root:*:19700:0:99999:7:::\n", Meta::mode(0o640).owner(0, 42))
        .file("var/lib/dpkg/status", packages::status(base));
    Ok(layer)
}

/// `apt-get install`, which leaves its lists, its archives and its caches behind.
fn install(base: &[Package], added: &[Package]) -> anyhow::Result<LayerBuilder> {
    let all: Vec<Package> = base.iter().chain(added).cloned().collect();
    let lists = content::package_lists(8 << 20);
    let mut layer = packages::files(added)?
        .append(packages::records(added))
        .file("var/lib/dpkg/status", packages::status(&all))
        .file("var/lib/dpkg/status-old", packages::status(base))
        .file("var/cache/apt/pkgcache.bin", content::package_cache(&lists))
        .file_with("var/cache/apt/archives/lock", [], Meta::mode(0o640))
        .file_with("var/lib/apt/lists/lock", [], Meta::mode(0o640))
        .file(format!("{LISTS}InRelease"), content::prose("InRelease", 150 << 10))
        .file(format!("{LISTS}main_binary-amd64_Packages"), lists)
        .file("var/log/dpkg.log", content::install_log(added));
    for package in added {
        let archive = packages::deb(package)?;
        layer = layer.file(format!("var/cache/apt/archives/{}", package.archive_name()), archive);
    }
    Ok(layer)
}

/// The shop itself: its sources, and what `make install` puts in place.
struct App {
    sources: BTreeMap<String, Vec<u8>>,
    assets: BTreeMap<String, Vec<u8>>,
}

impl App {
    fn new() -> Self {
        let mut sources = BTreeMap::new();
        for module in ["basket", "catalogue", "checkout", "invoice", "search", "stock"] {
            for part in 0..20 {
                let name = format!("lib/Shop/{module}/part{part:02}.c");
                let source = content::source_code(&name, 9 << 10);
                sources.insert(name, source);
            }
        }
        sources.insert("Makefile".into(), b"all:\n\t./build.pl\n".to_vec());
        sources.insert("README.md".into(), content::prose("README", 6 << 10));
        sources.insert("t/data/orders.csv".into(), content::orders(4 << 20));
        sources.insert("t/data/orders-2023.csv".into(), content::orders(3 << 20));
        let mut assets = BTreeMap::new();
        for bundle in ["admin", "shop", "vendor"] {
            assets.insert(
                format!("{bundle}.js"),
                content::source_code(&format!("{bundle}.js"), 1 << 20),
            );
            assets.insert(format!("{bundle}.css"), content::source_code(bundle, 200 << 10));
        }
        Self { sources, assets }
    }

    /// The whole checkout: nobody wrote a `.dockerignore`.
    fn sources(&self) -> LayerBuilder {
        let mut layer = LayerBuilder::new();
        for (path, bytes) in &content::git_directory(&self.sources) {
            layer = layer.file(format!("src/.git/{path}"), bytes.clone());
        }
        for (path, bytes) in &self.sources {
            layer = layer.file(format!("src/{path}"), bytes.clone());
        }
        layer.append(self.assets("src/assets", 0o644))
    }

    /// Objects beside the sources, and the installed tree.
    fn build(&self) -> LayerBuilder {
        let mut layer = LayerBuilder::new();
        for (path, source) in &self.sources {
            let Some(stem) = path.strip_suffix(".c") else { continue };
            layer = layer.file(format!("src/build/{stem}.o"), content::object_file(path, source));
        }
        layer.append(self.installed(0o750))
    }

    /// What `make install` makes, and what `chmod -R` writes again.
    fn installed(&self, mode: u32) -> LayerBuilder {
        let cache = content::orders(3 << 20);
        let packed = gzip(&cache, 6);
        LayerBuilder::new()
            .directory_with("opt/shop", Meta::mode(mode))
            .directory_with("opt/shop/bin", Meta::mode(mode))
            .file_with("opt/shop/bin/shop-server", content::SERVER, Meta::mode(mode))
            .file_with("opt/shop/lib/orders.csv", content::orders(2 << 20), Meta::mode(mode))
            .file_with("opt/shop/cache/catalogue.db", cache, Meta::mode(mode))
            .file_with("opt/shop/cache/catalogue.db.gz", packed, Meta::mode(mode))
            .append(self.assets("opt/shop/assets", mode))
    }

    fn assets(&self, directory: &str, mode: u32) -> LayerBuilder {
        let layer = LayerBuilder::new().directory_with(directory, Meta::mode(mode | 0o111));
        self.assets.iter().fold(layer, |layer, (name, bytes)| {
            layer.file_with(format!("{directory}/{name}"), bytes.clone(), Meta::mode(mode))
        })
    }
}
