//! ELF files made in code, and what binutils says of one.

use std::path::Path;
use std::process::Command;

use jettison_testkit::process::run;
use jettison_testkit::require;

const ET_EXEC: u16 = 2;
const ET_CORE: u16 = 4;
const SHT_PROGBITS: u32 = 1;
const SHT_SYMTAB: u32 = 2;
const SHT_STRTAB: u32 = 3;
const SHF_ALLOC: u64 = 2;
const HEADER: u16 = 64;

/// The header of a 64-bit file of this type for x86-64, with one program header where `loads`.
fn header(kind: u16, sections_at: u64, sections: u16) -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(16, 0);
    bytes.extend(kind.to_le_bytes());
    bytes.extend(62_u16.to_le_bytes());
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(0x40_0000_u64.to_le_bytes());
    bytes.extend(u64::from(HEADER).to_le_bytes());
    bytes.extend(sections_at.to_le_bytes());
    bytes.extend(0_u32.to_le_bytes());
    for value in [HEADER, 56, 1, 64, sections, sections.saturating_sub(1)] {
        bytes.extend(value.to_le_bytes());
    }
    // One segment, which holds the front of the file.
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(5_u32.to_le_bytes());
    for value in [0_u64, 0x40_0000, 0x40_0000, 4096, 4096, 4096] {
        bytes.extend(value.to_le_bytes());
    }
    bytes
}

/// A program with debug sections of `debug` bytes in all, and a symbol table of `symbols` with names
/// of `names`.
pub(super) fn program(debug: u64, symbols: u64, names: u64) -> Vec<u8> {
    let sections = [
        (".text", SHT_PROGBITS, SHF_ALLOC, 9000),
        // It is loaded, whatever its name says.
        (".debug_loaded", SHT_PROGBITS, SHF_ALLOC, 500),
        (".comment", SHT_PROGBITS, 0, 40),
        (".debug_info", SHT_PROGBITS, 0, debug / 3),
        (".debug_line", SHT_PROGBITS, 0, debug - debug / 3),
        (".symtab", SHT_SYMTAB, 0, symbols),
        (".strtab", SHT_STRTAB, 0, names),
    ];
    let mut table_of_names = vec![0];
    let mut rows = vec![[0_u8; 64]];
    let mut contents = Vec::new();
    let start = u64::from(HEADER) + 56;
    let count = u16::try_from(sections.len() + 2).unwrap();
    let mut row = |name: &str, kind: u32, flags: u64, offset: u64, size: u64, link: u32| {
        let mut row = Vec::new();
        row.extend(u32::try_from(table_of_names.len()).unwrap().to_le_bytes());
        row.extend(kind.to_le_bytes());
        for value in [flags, 0, offset, size] {
            row.extend(value.to_le_bytes());
        }
        row.extend(link.to_le_bytes());
        row.resize(64, 0);
        if kind == SHT_SYMTAB {
            row[56] = 24;
        }
        table_of_names.extend(name.bytes());
        table_of_names.push(0);
        rows.push(row.try_into().unwrap());
        table_of_names.clone()
    };
    for (at, (name, kind, flags, size)) in (1_u32..).zip(sections) {
        let offset = start + contents.len() as u64;
        let link = if kind == SHT_SYMTAB { at + 1 } else { 0 };
        row(name, kind, flags, offset, size, link);
        contents.resize(contents.len() + usize::try_from(size).unwrap(), 0x90);
    }
    let offset = start + contents.len() as u64;
    let length = (1 + sections.iter().map(|(name, ..)| name.len() + 1).sum::<usize>() + 10) as u64;
    let names = row(".shstrtab", SHT_STRTAB, 0, offset, length, 0);
    assert_eq!(names.len() as u64, length);
    contents.extend(names);
    let mut file = header(ET_EXEC, start + contents.len() as u64, count);
    file.extend(contents);
    file.extend(rows.concat());
    file
}

/// What the kernel leaves of a program that crashed, as far as its header tells.
pub(super) fn core_dump(bytes: usize) -> Vec<u8> {
    let mut file = header(ET_CORE, 0, 0);
    file.resize(bytes, 0x5a);
    file
}

/// Bytes of `.debug_*`, and of `.symtab` with its strings, by what readelf says of a file.
pub(super) fn read_by_binutils(file: &Path) -> (u64, u64) {
    let readelf = require::program("readelf", "binutils").unwrap();
    let text = run(Command::new(readelf).args(["--section-headers", "--wide"]).arg(file)).unwrap();
    let (mut debug, mut symbols) = (0, 0);
    for line in text.lines() {
        // `  [ 5] .debug_info PROGBITS 0000000000000000 00303b 00012c 00 0 0 1`
        let Some((_, row)) = line.trim().strip_prefix('[').and_then(|row| row.split_once(']'))
        else {
            continue;
        };
        let words: Vec<&str> = row.split_whitespace().collect();
        let [name, kind, _, _, size, ..] = words[..] else { continue };
        let Ok(size) = u64::from_str_radix(size, 16) else { continue };
        let is_loaded = words.get(6).is_some_and(|flags| flags.contains('A'));
        match name {
            _ if name.starts_with(".debug") && kind == "PROGBITS" && !is_loaded => debug += size,
            ".symtab" | ".strtab" => symbols += size,
            _ => {}
        }
    }
    (debug, symbols)
}
