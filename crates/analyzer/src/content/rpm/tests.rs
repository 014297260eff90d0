use super::*;

/// A header with these tags: number, type, count, data.
fn blob(tags: &[(u32, u32, u32, &[u8])]) -> Vec<u8> {
    let (mut index, mut data) = (Vec::new(), Vec::new());
    for (tag, kind, count, bytes) in tags {
        for field in [*tag, *kind, u32::try_from(data.len()).unwrap(), *count] {
            index.extend(field.to_be_bytes());
        }
        data.extend_from_slice(bytes);
    }
    let counts = [tags.len(), data.len()].map(|n| u32::try_from(n).unwrap().to_be_bytes());
    [&counts.concat()[..], &index, &data].concat()
}

fn sample() -> Vec<u8> {
    blob(&[
        (1000, 6, 1, b"shop\0"),
        (1001, 6, 1, b"1.2\0"),
        (1002, 6, 1, b"3\0"),
        (1003, 4, 1, &2_u32.to_be_bytes()),
        (1009, 4, 1, &700_u32.to_be_bytes()),
        (1029, 1, 3, &[0, 2, 0]),
        (1047, 8, 2, b"shop\0shop(x86-64)\0"),
        (1049, 8, 2, b"libc.so.6()(64bit)\0/bin/sh\0"),
        (5046, 8, 1, b"extra\0"),
        (1116, 4, 3, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        (1117, 8, 3, b"shop\0gone\0data\0"),
        (1118, 8, 2, b"/usr/bin/\0/usr/share/shop/\0"),
    ])
}

/// An ndb of these blobs.
fn ndb(blobs: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = [&b"RpmP"[..], &[0; 8], &1_u32.to_le_bytes(), &[0; 16]].concat();
    let mut behind = Vec::new();
    for (at, blob) in (1_u32..).zip(blobs) {
        let start = u32::try_from((PAGE + behind.len()) / 16).unwrap();
        bytes.extend([&b"Slot"[..], &at.to_le_bytes(), &start.to_le_bytes(), &[0; 4]].concat());
        let length = u32::try_from(blob.len()).unwrap().to_le_bytes();
        behind.extend([&b"BlbS"[..], &at.to_le_bytes(), &[0; 4], &length, blob].concat());
        behind.resize(behind.len().next_multiple_of(16), 0);
    }
    while bytes.len() < PAGE {
        bytes.extend([&b"Slot"[..], &[0; 12]].concat());
    }
    [bytes, behind].concat()
}

const PAGE: usize = 4096;

/// A hash of `BerkeleyDB` in pages of 512 bytes: the count, and a value that stands in `pages`
/// pages of its own.
fn berkeley(blob: &[u8], is_big: bool) -> Vec<u8> {
    let order = |mut bytes: Vec<u8>| {
        if is_big {
            bytes.reverse();
        }
        bytes
    };
    let short = |n: usize| order(u16::try_from(n).unwrap().to_le_bytes().to_vec());
    let long = |n: usize| order(u32::try_from(n).unwrap().to_le_bytes().to_vec());
    let mut meta = [vec![0; 12], long(0x6_1561), long(9), long(512)].concat();
    meta.resize(512, 0);
    let header = |next: usize, items: usize, used: usize, kind: u8| {
        [vec![0; 16], long(next), short(items), short(used), vec![0, kind]].concat()
    };
    let off_page = [vec![3, 0, 0, 0], long(2), long(blob.len())].concat();
    // From the end of the page to its front.
    let items = [[&[1][..], &[0; 4]].concat(), vec![1, 9], [&[1][..], &[7; 4]].concat(), off_page];
    let (mut offsets, mut data) = (Vec::new(), Vec::new());
    for item in items {
        data = [item, data].concat();
        offsets.extend(short(512 - data.len()));
    }
    let mut page = [header(0, 4, 0, 13), offsets].concat();
    page.resize(512 - data.len(), 0);
    let mut bytes = [meta, page, data].concat();
    let parts: Vec<&[u8]> = blob.chunks(512 - 26).collect();
    for (at, part) in parts.iter().enumerate() {
        let next = if at + 1 < parts.len() { at + 3 } else { 0 };
        bytes.extend([header(next, 1, part.len(), 7), part.to_vec()].concat());
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes
}

/// What `SQLite` makes of these statements.
fn sqlite(statements: &str, blobs: &[Vec<u8>]) -> Vec<u8> {
    let mut database = rusqlite::Connection::open_in_memory().unwrap();
    database.execute_batch(statements).unwrap();
    for blob in blobs {
        database.execute("INSERT INTO Packages(blob) VALUES (?)", [blob]).unwrap();
    }
    database.serialize(rusqlite::MAIN_DB).unwrap().to_vec()
}

const TABLE: &str =
    "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)";

#[test]
fn headers_are_read() {
    let package = header(&sample()).unwrap();
    assert_eq!((&*package.name, &*package.version), ("shop", "2:1.2-3"));
    assert_eq!(package.size, Some(700));
    let files: Vec<(u32, &[u8])> = package.files.iter().map(|(at, name)| (*at, &**name)).collect();
    assert_eq!(files, [(0, &b"shop"[..]), (1, b"data")]);
    assert_eq!(*package.requires, ["libc.so.6()(64bit)".into(), "/bin/sh".into()]);
    assert_eq!(*package.recommends, ["extra".into()]);
    let old = blob(&[(1000, 6, 1, b"old\0"), (1027, 8, 2, b"/a/b\0/a/c\0")]);
    let old = header(&old).unwrap();
    assert_eq!((old.directories.len(), old.files.len()), (1, 2));
}

#[test]
fn every_form_gives_the_same_packages() {
    let key = blob(&[(1000, 6, 1, b"gpg-pubkey\0")]);
    let blobs = [sample(), key];
    let expected = RpmDatabase { packages: vec![header(&sample()).unwrap()], problem: None };
    assert_eq!(read(ndb(&blobs)), expected);
    let long = [sample(), vec![0; 1500]].concat();
    for is_big in [false, true] {
        assert_eq!(read(berkeley(&long, is_big)), expected);
    }
    assert_eq!(read(sqlite(TABLE, &blobs)), expected);
    let mut logged = sqlite(TABLE, &blobs);
    logged[18..20].fill(2);
    assert_eq!(read(logged), expected);
}

#[test]
fn forms_that_are_not_read_are_named() {
    let mut berkeley = vec![0; 512];
    berkeley[12..16].copy_from_slice(&[0x61, 0x15, 6, 0]);
    let mut encrypted = berkeley.clone();
    encrypted[20..25].copy_from_slice(&[0, 2, 0, 0, 1]);
    for (bytes, said) in [
        (berkeley, "it is damaged"),
        (encrypted, "it is encrypted"),
        (b"no".to_vec(), "no package database"),
        (sqlite("CREATE TABLE Other (a)", &[]), "no such table"),
    ] {
        let database = read(bytes);
        assert!(database.problem.as_ref().is_some_and(|p| p.contains(said)), "{database:?}");
    }
}

#[test]
fn a_database_cannot_make_us_run_its_queries() {
    let endless = "CREATE VIEW Packages AS WITH RECURSIVE r(blob) AS \
                   (SELECT x'00' UNION ALL SELECT blob FROM r) SELECT blob FROM r";
    assert!(read(sqlite(endless, &[])).problem.is_some());
}

#[test]
fn records_that_share_their_bytes_end() {
    let mut bytes = ndb(&[vec![b'x'; 200_000]]);
    for at in (48..PAGE).step_by(16) {
        bytes.copy_within(32..48, at);
    }
    let problem = read(bytes).problem.unwrap();
    assert!(problem.contains("hold more than the file"), "{problem}");
}

#[test]
fn pages_of_berkeley_db_that_lead_in_a_circle_end() {
    let mut bytes = berkeley(&[sample(), vec![0; 1500]].concat(), false);
    for (used, to) in [(486, 2), (0, 2), (486, 3), (0, 3)] {
        bytes[1024 + 16] = to;
        bytes[1024 + 22..1024 + 24].copy_from_slice(&u16::to_le_bytes(used));
        bytes[1536 + 16] = 2;
        let _ = read(bytes.clone());
    }
    bytes[1024 + 22..1024 + 24].fill(0);
    assert_eq!(read(bytes).problem, Some("it is damaged".into()));
}

#[test]
fn pages_that_lead_in_a_circle_end() {
    let blobs: Vec<Vec<u8>> = (0..60).map(|_| [sample(), vec![0; 9000]].concat()).collect();
    let whole = sqlite(TABLE, &blobs);
    // Every page that holds the pointers of a tree, and every chain of overflow, led to page 2.
    for page in (PAGE..whole.len()).step_by(PAGE) {
        let mut damaged = whole.clone();
        damaged[page..page + 4].copy_from_slice(&2_u32.to_be_bytes());
        damaged[page + 8..page + 12].copy_from_slice(&2_u32.to_be_bytes());
        let _ = read(damaged);
    }
}

#[test]
fn damage_is_never_more_than_a_problem() {
    let blobs = [sample()];
    let forms = [ndb(&blobs), sqlite(TABLE, &blobs), berkeley(&sample(), false)];
    for whole in [sample()].into_iter().chain(forms) {
        for end in (0..whole.len()).step_by(37) {
            let _ = (header(&whole[..end]), read(whole[..end].to_vec()));
        }
        for at in (0..whole.len().min(1200)).step_by(3) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0xff;
            let _ = (header(&damaged), read(damaged));
        }
    }
    let huge = [&u32::MAX.to_be_bytes()[..], &u32::MAX.to_be_bytes()].concat();
    assert_eq!(header(&huge), None);
}
