//! Writes small seeds of every target into the directory it is given.

use std::path::Path;

use anyhow::Context as _;
use jettison_analyzer::layer::cache::Cache;
use jettison_fuzz::image;
use jettison_oci::{Bytes, Digest, Platform};
use jettison_testkit::image::{
    Compression, Image, ImageBuilder, ImageFiles, IndexBuilder, LayerBuilder, LongNames, Meta,
    SparseFormat, Wrap, gzip, zstd,
};
// It is built with the targets' flags, and so calls what libFuzzer defines.
use libfuzzer_sys as _;

fn layers() -> Vec<LayerBuilder> {
    let long = "a-name/".repeat(30);
    vec![
        LayerBuilder::new()
            .pax_global(&[("comment", "seed")])
            .directory("etc")
            .file_with("etc/f", "one\n", Meta::mode(0o600).xattr("user.k", "v"))
            .hard_link("etc/g", "etc/f")
            .symlink("lib", "usr/lib")
            .file("lib/x", "two"),
        LayerBuilder::new()
            .file(format!("{long}pax"), "1")
            .long_names(LongNames::Gnu)
            .file(format!("{long}gnu"), "2")
            .symlink("link", &long)
            .long_names(LongNames::Prefix)
            .file(format!("{long}prefix"), "3"),
        LayerBuilder::new()
            .sparse("gnu", SparseFormat::Gnu, 9000, &[(512, b"x"), (4096, b"y")])
            .sparse("pax-0.1", SparseFormat::Pax01, 9000, &[(512, b"x")])
            .sparse("pax-1.0", SparseFormat::Pax10, 9000, &[(512, b"x")])
            .pax(&[("mtime", "-1.5"), ("uid", "7"), ("size", "0")])
            .file("times", ""),
        LayerBuilder::new()
            .whiteout("etc/f")
            .opaque("usr")
            .char_device("null", 1, 3)
            .block_device("loop", 7, 0)
            .fifo("pipe")
            .file("etc", "now a file"),
    ]
}

fn sample(compression: Compression) -> Image {
    let image = ImageBuilder::new().compression(compression).tag("localhost/seed:1");
    let image = layers().into_iter().fold(image, |image, layer| image.layer(layer, "RUN seed"));
    image.empty("CMD [\"x\"]").user("nobody").env("A", "b").build()
}

fn archives() -> Vec<Vec<u8>> {
    let plain = [sample(Compression::Plain)];
    let gzipped = [sample(Compression::Gzip { level: 6 })];
    let other = ImageBuilder::new()
        .platform(Platform::new("linux", "arm64", None))
        .layer(layers().remove(0), "RUN seed")
        .build();
    let index = IndexBuilder::new().image(&plain[0]).image(&other).attestation(&other).build();
    vec![
        ImageFiles::docker_archive(&plain).tar(),
        ImageFiles::docker_archive_legacy(&plain, true).tar(),
        ImageFiles::docker_archive_compressed(&gzipped).tar(),
        ImageFiles::kaniko_archive(&gzipped).tar(),
        ImageFiles::oci_layout([index]).tar(),
        ImageFiles::oci_layout([sample(Compression::ZstdChunked)]).archive(Wrap::Zstd),
        ImageFiles::docker_archive(&plain).archive(Wrap::Gzip),
    ]
}

fn blobs() -> Vec<Vec<u8>> {
    let mut blobs: Vec<Vec<u8>> = layers().iter().map(LayerBuilder::tar).collect();
    blobs.extend([gzip(&blobs[0], 6), zstd(&blobs[1], 3)]);
    for compression in [
        Compression::EStargz { end_before_toc: false },
        Compression::MultiMemberGzip { members: 3 },
    ] {
        blobs.push(sample(compression).layers[0].blob.as_ref().clone());
    }
    blobs
}

/// Baselines of two images that differ in a layer, and rules of dive's gate.
fn gate() -> Vec<Vec<u8>> {
    let layer = |name: &str, bytes: u64| {
        let diff_id = Digest::sha256(name.as_bytes());
        format!(
            r#"{{"diffId":"{diff_id}","instruction":"RUN {name}","uncompressed":{bytes},
            "compressed":{bytes},"effective":{bytes},"hides":0,"entries":1,
            "packages":{{"deb:a":{{"version":"1","bytes":{}}}}},"directories":{{"/b":1}},"rest":1}}"#,
            bytes - 2
        )
    };
    let image = |name: &str, layers: &[String]| {
        let digest = Digest::sha256(b"");
        format!(
            r#"{{"image":"{name}","platform":"linux/amd64","manifestDigest":null,
            "configDigest":"{digest}","metrics":{{"effective":9,"own-layers":1}},
            "baseLayers":1,"layers":[{}]}}"#,
            layers.join(",")
        )
    };
    let (a, b) = (layer("a", 9), layer("b", 7));
    let images = [image("a", std::slice::from_ref(&a)), image("b", &[a, b])].join(",");
    let baseline = format!(r#"{{"schemaVersion":1,"tool":"jettison","definitions":{{}},"images":[{images}]}}"#);
    let dive = "rules:\n  lowestEfficiency: 0.9\n  highest-wasted-bytes: 20MB\n";
    vec![baseline.into_bytes(), dive.as_bytes().to_vec()]
}

fn documents() -> Vec<Vec<u8>> {
    let image = sample(Compression::Gzip { level: 6 });
    let files = ImageFiles::oci_layout([image.clone()]);
    let index = files.get("index.json").map(|bytes| bytes.as_ref().clone());
    [image.config(), image.manifest()].iter().map(|bytes| bytes.to_vec()).chain(index).collect()
}

/// What a first run leaves in the cache, under the digest that the target asks for.
fn cached() -> anyhow::Result<Vec<Vec<u8>>> {
    let mut entries = Vec::new();
    for blob in blobs() {
        let root = tempfile::tempdir()?;
        let cache = Cache::new(root.path().to_owned(), Bytes(1 << 30));
        let (size, digest) = (blob.len() as u64, Digest::sha256(&blob));
        let mut image = image::image(vec![image::streamed(blob)]);
        image::describe(&mut image, digest.clone(), size);
        image::read(&image, Some(&cache))?;
        let Ok(files) = fs_err::read_dir(cache.directory()) else { continue };
        for file in files {
            let mut entry = fs_err::read(file?.path())?;
            let (asked, known) = (Digest::sha256(b""), digest.as_str().as_bytes());
            let at = entry.windows(known.len()).position(|window| window == known);
            let at = at.context("an entry names its digest")?;
            entry[at..at + known.len()].copy_from_slice(asked.as_str().as_bytes());
            entries.push(entry);
        }
    }
    Ok(entries)
}

fn texts() -> Vec<Vec<u8>> {
    let digest = format!("example.com:5000/a/b:tag@{}", Digest::sha256(b""));
    let texts = [
        "debian",
        "example/app:1.2",
        "localhost/x",
        "docker.io/localhost/x",
        "library/a/b",
        "linux/arm64/v8",
        "300 MiB",
        "1.5GB",
        "0",
        "sha512:00",
        &digest,
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// The front of this program, and small ones as wholes.
fn programs() -> anyhow::Result<Vec<Vec<u8>>> {
    let mut own = fs_err::read(std::env::current_exe()?)?;
    own.truncate(200 << 10);
    let mut programs = vec![own];
    for path in ["/bin/true", "/bin/dash", "/usr/bin/ldd"] {
        programs.extend(fs_err::read(path).ok());
    }
    Ok(programs)
}

/// Texts of every language.
fn scripts() -> Vec<Vec<u8>> {
    let texts = [
        "#!/bin/sh\nset -e\nexec gosu app \"/srv/run\" --now\n",
        "#!/usr/bin/env python3\nfrom . import (a,\n b)\nimport c.d; __import__('e')\n",
        "const a = require('a'); import b from \"b\"; path.join(__dirname, 'views')\n",
        "use strict; use lib '/x'; require Foo::Bar; eval \"use $m\";\n=pod\n\n=cut\n",
        "require 'json'\nrequire_relative \"../x\"\nautoload :Y, 'z'\n__FILE__\n",
        "<?php require __DIR__ . '/x.php'; include_once('y.php');",
        "cat <<-'E' | sh\nit isn't\n\tE\neval \"$(apt-config shell A B)\"; eval `ssh-agent`\n",
        "A=/opt; B=${A:-/x}/lib\n. \"$B/y.sh\"; exec java -cp \"$(ls)/z\" Main\n",
        r#"{"schemaVersion":1,"executed":["/bin/sh"],"opened":["/etc/passwd"]}"#,
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// Configurations of every kind.
fn configurations() -> Vec<Vec<u8>> {
    let texts = [
        "[program:x]\ncommand=/x %(here)s/y\n  --more\n[include]\nfiles = *.conf\n",
        "SHELL=/bin/sh\n*/5 * * * * root /x/y 100%% z\n@daily root run-parts /d\n",
        "@include common-auth\nauth [success=1 default=ignore] pam_unix.so conf=/x\n",
        "[PHP]\nextension=intl ; why\nextension_dir = \"/x\"\n",
        "[Service]\nExecStart=-/x \\\n y\n::respawn:/z\n",
        "s.name = \"a\"\ns.add_dependency(%q<b>.freeze)\n    c (1.0)\n",
        LOCK,
        "root /x; DocumentRoot \"/y\"\n'a' => array($vendorDir . '/b/c/src'),\n",
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// A lock of Ruby's gems.
const LOCK: &str = "PATH\n  specs:\n    c (1)\n      b\n\nGEM\n  specs:\n    a (1-x)\n      b (> 1)\n\n\
    DEPENDENCIES\n  a\n  c!\n";

/// A database of each kind.
fn packages() -> Vec<Vec<u8>> {
    let texts = [
        "Package: a\nStatus: install ok installed\nDepends: b | c (>= 1)\nProvides: d\n\n",
        "/bin/a\n/bin/a.distrib\nb\n/usr/bin/b\n",
        "P:a\nV:1\np:so:x=1\nF:usr/bin\nR:a\n\nP:b\nD:so:x !c\n\n",
        "Name: A\nVersion: 1\nRequires-Dist: b>1; x\n\na.py,sha256=,1\n\"a.py\",,\n",
        r#"{"name":"a","version":"1","dependencies":{"b":"1"}}"#,
        r#"{"devDependencies":{"a":"1"},"peerDependencies":{"c":"1"},"peerDependenciesMeta":{"c":{"optional":true}}}"#,
        LOCK,
        "s.name = \"a\".freeze\ns.files = [\"lib/b.rb\".freeze]\ns.add_dependency(%q<b>.freeze)\n",
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// A header of a package with a file, and the smallest forms of databases.
fn rpm() -> Vec<Vec<u8>> {
    let tags: [(u32, u32, &[u8]); 8] = [
        (1000, 6, b"a\0"),
        (1001, 6, b"1\0"),
        (1009, 4, &[0, 0, 0, 9]),
        (1047, 8, b"a\0"),
        (1049, 8, b"/bin/b\0"),
        (1116, 4, &[0; 4]),
        (1117, 8, b"a\0"),
        (1118, 8, b"/bin/\0"),
    ];
    let (mut index, mut data) = (Vec::new(), Vec::new());
    for (tag, kind, bytes) in tags {
        let at = u32::try_from(data.len()).unwrap_or(0);
        index.extend([tag, kind, at, 1].map(u32::to_be_bytes).concat());
        data.extend(bytes);
    }
    let counts = [tags.len(), data.len()].map(|n| u32::try_from(n).unwrap_or(0).to_be_bytes());
    let header = [&counts.concat()[..], &index, &data].concat();
    vec![header, b"RpmP".to_vec(), b"SQLite format 3\0".to_vec()]
}

/// An archive with a manifest, stored.
fn jars() -> Vec<Vec<u8>> {
    let (name, text) = (b"META-INF/MANIFEST.MF", b"Bundle-Version: 1\r\n 2\r\n");
    let size = u32::try_from(text.len()).unwrap_or(0).to_le_bytes();
    let fields = [&[0; 10][..], &size, &size, &[20, 0, 0, 0]].concat();
    let local = [&b"PK\x03\x04\x14\0\0\0"[..], &fields, name, text].concat();
    let row = [&b"PK\x01\x02\x14\0\x14\0\0\0"[..], &fields, &[0; 14], name].concat();
    let sizes = [row.len(), local.len()].map(|n| u32::try_from(n).unwrap_or(0).to_le_bytes());
    let end = [&b"PK\x05\x06\0\0\0\0\x01\0\x01\0"[..], &sizes.concat(), &[0; 2]].concat();
    vec![[local, row, end].concat()]
}

/// Dockerfiles, each with a `.dockerignore` behind a zero byte.
fn dockerfiles() -> Vec<Vec<u8>> {
    [
        "# syntax=docker/dockerfile:1\nARG V=12\nFROM debian:$V AS a\nRUN apt-get update \\\n # c\n && \
         apt-get install -y gcc\nCOPY --from=0 . /app\nRUN chmod -R 0755 /app\n\0.git\n!a/**\n",
        "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm install\nRUN <<EOF cat >/x\nhello\nEOF\n",
        "# escape=`\nfrom a\nrun pip install b `\n c\nADD http://h/x.tar.gz /t\nONBUILD RUN x\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// What a pruner reads: a number that says what it is, and that.
fn node() -> Vec<Vec<u8>> {
    let pod = "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\",\"namespace\":\"b\",\"uid\":\"u\"},\
               \"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"d:1\",\"imagePullPolicy\":\"Never\"}],\
               \"volumes\":[{\"name\":\"v\",\"image\":{\"reference\":\"e:2\"}}]},\"status\":{\
               \"containerStatuses\":[{\"name\":\"c\",\"image\":\"d:1\",\"imageID\":\"d@sha256:0\"}]}}";
    let template = "{\"metadata\":{\"name\":\"a\"},\"spec\":{\"jobTemplate\":{\"spec\":{\"template\":{\
                    \"spec\":{\"containers\":[{\"image\":\"d\"}]}}}}}}";
    let history = "{\"schemaVersion\":1,\"digest\":\"sha256:0\"}\n{\"node\":\"n\"}\n";
    let texts = [
        (0, "docker-pullable://a.example:5000/b/c:1@sha256:00"),
        (0, "sha256:0123456789abcdef"),
        (1, "{a,b}.example/**/c?:[12]*"),
        (2, pod),
        (3, template),
        (4, "kind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - {name: c, image: d}\n---\n{}\n"),
        (5, history),
    ];
    texts.map(|(kind, text)| [&[kind], text.as_bytes()].concat()).to_vec()
}

fn main() -> anyhow::Result<()> {
    let corpus = std::env::args_os().nth(1).context("usage: seed DIRECTORY")?;
    let steps: Vec<u8> = (0..=255_u8).flat_map(|at| [at, at.wrapping_mul(7)]).collect();
    for (target, seeds) in [
        ("archive", archives()),
        ("layer", blobs()),
        ("stack", vec![steps.clone(), steps.into_iter().rev().collect()]),
        ("elf", programs()?),
        ("scripts", scripts()),
        ("configurations", configurations()),
        ("facts", [programs()?, scripts(), configurations(), jars()].concat()),
        ("packages", [packages(), rpm(), jars()].concat()),
        ("rpm", rpm()),
        ("jar", jars()),
        ("dockerfile", dockerfiles()),
        ("reference", texts()),
        ("gate", gate()),
        ("node", node()),
        ("documents", documents()),
        ("cache", cached()?),
    ] {
        let directory = Path::new(&corpus).join(target);
        fs_err::create_dir_all(&directory)?;
        for seed in seeds {
            fs_err::write(directory.join(Digest::sha256(&seed).hex()), seed)?;
        }
    }
    Ok(())
}
