//! Made-up content that compresses as the real thing does. No chance is involved: every byte
//! follows from a name.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use jettison_oci::Digest;

use super::packages::Package;

/// The shop's server: small, but it runs.
pub(super) const SERVER: &str = r#"#!/usr/bin/perl
use strict;
use warnings;
use File::Basename;
use IO::Socket::INET;

my ($flag, $port) = @ARGV;
exit 0 if ($flag // '') eq '--warm';
open my $orders, '<', dirname($0) . '/../lib/orders.csv' or die "orders: $!";
my $count = () = <$orders>;
my $server = IO::Socket::INET->new(LocalPort => $port // 8080, Listen => 5, ReuseAddr => 1)
    or die "listen: $!";
while (my $client = $server->accept) {
    print $client "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n$count orders\n";
    close $client;
}
"#;

const WORDS: [&str; 48] = [
    "account",
    "address",
    "agent",
    "amount",
    "archive",
    "basket",
    "batch",
    "buffer",
    "cache",
    "catalogue",
    "channel",
    "client",
    "counter",
    "currency",
    "customer",
    "daemon",
    "delivery",
    "digest",
    "discount",
    "engine",
    "entry",
    "feature",
    "filter",
    "handler",
    "index",
    "invoice",
    "journal",
    "ledger",
    "library",
    "limit",
    "locale",
    "manager",
    "module",
    "network",
    "order",
    "parcel",
    "payment",
    "price",
    "product",
    "query",
    "record",
    "schema",
    "server",
    "session",
    "stock",
    "table",
    "tariff",
    "window",
];

/// A walk over numbers that starts at a name: xorshift, for variety and not for chance.
struct Walk(u64);

impl Walk {
    fn from(name: &str) -> Self {
        // FNV-1a; never zero, which xorshift could not leave.
        let start = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(start | 1)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn word(&mut self) -> &'static str {
        let at = self.below(WORDS.len() as u64);
        WORDS[usize::try_from(at).unwrap_or_default()]
    }
}

/// Lines of `line` until the text has `size` bytes.
fn text(name: &str, size: usize, mut line: impl FnMut(&mut Walk, &mut String)) -> Vec<u8> {
    let mut walk = Walk::from(name);
    let mut text = String::with_capacity(size + 256);
    while text.len() < size {
        line(&mut walk, &mut text);
    }
    text.truncate(size);
    text.into_bytes()
}

/// Sentences.
pub(super) fn prose(name: &str, size: usize) -> Vec<u8> {
    text(name, size, |walk, text| {
        for _ in 0..8 + walk.below(8) {
            text.push_str(walk.word());
            text.push(' ');
        }
        text.push_str(".\n");
    })
}

/// Statements of a language with braces.
pub(super) fn source_code(name: &str, size: usize) -> Vec<u8> {
    text(name, size, |walk, text| {
        let (object, field, value) = (walk.word(), walk.word(), walk.below(65_536));
        let line = match walk.below(4) {
            0 => format!("if ({object}.{field} > {value}) {{\n"),
            1 => format!("  {object}_{field}({}, {value});\n", walk.word()),
            2 => format!("  {object}->{field} = {value:#x};\n"),
            _ => format!("}}\n/* {object} of {field} */\n"),
        };
        text.push_str(&line);
    })
}

/// A table of orders.
pub(super) fn orders(size: usize) -> Vec<u8> {
    let mut number = 0;
    text("orders", size, |walk, text| {
        number += 1;
        let (product, customer) = (walk.word(), walk.word());
        let (count, cents) = (walk.below(20), walk.below(100_000));
        let (day, month) = (walk.below(28) + 1, walk.below(12) + 1);
        let _ = writeln!(
            text,
            "{number},2023-{month:02}-{day:02},{product},{customer}@example.test,{count},{cents}"
        );
    })
}

/// What `apt-get update` downloads.
pub(super) fn package_lists(size: usize) -> Vec<u8> {
    let mut number: u32 = 0;
    text("Packages", size, |walk, text| {
        number += 1;
        let name = format!("lib{}-{}{number}", walk.word(), walk.word());
        let version = format!("{}.{}-{}", walk.below(9), walk.below(30), walk.below(4) + 1);
        let digest = Digest::sha256(name.as_bytes());
        let (first, second) = (walk.word(), walk.word());
        let _ = write!(
            text,
            "Package: {name}\nVersion: {version}\nInstalled-Size: {}\nMaintainer: {first} team \
             <{first}@example.test>\nArchitecture: amd64\nDepends: libc6 (>= 2.{}), lib{second}\n\
             Description: {first} {second} {}\nSection: libs\nPriority: optional\n\
             Filename: pool/main/l/{name}/{name}_{version}_amd64.deb\nSize: {}\nSHA256: {}\n\n",
            walk.below(9000),
            walk.below(36),
            walk.word(),
            walk.below(900_000),
            digest.hex(),
        );
    })
}

/// apt's binary cache over `lists`: a table of offsets, then the names.
pub(super) fn package_cache(lists: &[u8]) -> Vec<u8> {
    let (mut table, mut names) = (Vec::new(), Vec::new());
    let mut offset: u32 = 0;
    for line in lists.split(|&byte| byte == b'\n') {
        if let Some(name) = line.strip_prefix(b"Package: ") {
            for field in [offset, offset / 3, 0, 1] {
                table.extend_from_slice(&field.to_le_bytes());
            }
            names.extend_from_slice(name);
            names.push(0);
        }
        offset = offset.wrapping_add(u32::try_from(line.len() + 1).unwrap_or(u32::MAX));
    }
    table.append(&mut names);
    table
}

/// dpkg's log of an installation.
pub(super) fn install_log(packages: &[Package]) -> String {
    let mut log = String::new();
    for Package { name, version, .. } in packages {
        for state in ["half-installed", "unpacked", "half-configured", "installed"] {
            let _ = writeln!(log, "2024-01-01 00:00:00 status {state} {name} {version}");
        }
    }
    log
}

/// A compiled `source`: an ELF header of a relocatable file, then code that no table describes.
pub(super) fn object_file(name: &str, source: &[u8]) -> Vec<u8> {
    let mut walk = Walk::from(name);
    let mut object = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x01\0\x3e\0\x01\0\0\0".to_vec();
    object.resize(52, 0);
    // Sizes of the header, of a program header (none), and of a section header (none).
    object.extend_from_slice(&[64, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0]);
    for byte in source.iter().chain(source) {
        // A few opcodes, with operands now and then: about as dense as machine code.
        let opcode = [0x48, 0x8b, 0x89, 0xe8, 0x0f, 0xc3][usize::from(byte % 6)];
        object.extend([opcode, u8::try_from(walk.below(64)).unwrap_or_default()]);
    }
    object
}

/// A `.git` directory with one commit's files as loose objects, in a SHA-256 repository.
pub(super) fn git_directory(sources: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let config = "[core]\n\trepositoryformatversion = 1\n\tbare = false\n\
                  [extensions]\n\tobjectformat = sha256\n";
    let mut files = BTreeMap::from([
        ("HEAD".to_owned(), b"ref: refs/heads/main\n".to_vec()),
        ("config".to_owned(), config.into()),
        ("logs/HEAD".to_owned(), prose("reflog", 40 << 10)),
    ]);
    for content in sources.values() {
        let object = [format!("blob {}\0", content.len()).as_bytes(), content].concat();
        let digest = Digest::sha256(&object);
        let (fan_out, rest) = digest.hex().split_at(2);
        let mut encoder =
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        let compressed = encoder.write_all(&object).and_then(|()| encoder.finish());
        files.insert(
            format!("objects/{fan_out}/{rest}"),
            compressed.expect("memory takes all bytes"),
        );
    }
    files
}
