//! Briefings for the tests of formats.

use jettison_oci::escape;

use crate::report::briefing::{
    About, Briefing, Cell, Level, Lines, Measured, Notice, State, Subject, Table, Unit,
};

/// What anyone may call a file, and what some format would act upon.
pub(crate) const HOSTILE: [&[u8]; 36] = [
    b"new\nline\r",
    b"a|b||c",
    b"sed s\\|a\\|b\\|",
    b"\x1b[31mred\x1b[0m\x07",
    b"latin-\xe4\xf6\xfc",
    "turned-\u{202e}gnp.exe".as_bytes(),
    b"</details>",
    b"</summary></details></code>",
    b"-->",
    b"--!><!-- a -- b -->",
    b"]]>",
    b"<![CDATA[x",
    b"`tick` and ``two`` ```",
    b"`",
    b"%0A::error::forged",
    b"::error file=a,line=1::forged",
    b"##[error]forged",
    b"=cmd|'/C calc'!A0",
    b"+1+1",
    b"-1",
    b"@SUM(A1)",
    "\u{ff1d}1+1".as_bytes(),
    b"a,b;c\"d\"",
    b"@octocat and me@example.test",
    b"#12 GH-34 acme/app#56",
    b"http://evil.test/x www.evil.test mailto:a@b.test",
    b"*b* _i_ __b__ ~~s~~ [l](u) ![i](u) [^1] <script>&amp;",
    b"$a$ :bug: &#64; \\",
    b" space on both sides ",
    b"# heading",
    b"1. item",
    b"- item",
    b"| --- |",
    "\u{fffe}\u{ffff}\u{0}".as_bytes(),
    b"\"} 1\njettison_forged 1",
    b"<img src=x onerror=alert(1)>",
];

/// A name as conversions tell it.
pub(crate) fn text(bytes: &[u8]) -> String {
    escape::line(&String::from_utf8_lossy(bytes))
}

pub(crate) fn measured(name: &str, base: Option<u64>, value: u64) -> Measured {
    let value = Some(value);
    Measured { name: name.to_owned(), unit: Unit::Bytes, base, value, budget: None, state: None }
}

pub(crate) fn notice(level: Level, id: &str, message: &str, path: &[u8], bytes: u64) -> Notice {
    Notice {
        id: id.to_owned(),
        title: text(path),
        level,
        message: message.to_owned(),
        help: Some(text(path)),
        lines: None,
        paths: vec![escape::path(path)],
        bytes,
        figure: None,
        fingerprint: vec![id.to_owned(), escape::path(path)],
    }
}

pub(crate) fn subject(image: &str) -> Subject {
    Subject {
        image: image.to_owned(),
        platform: "linux/amd64".to_owned(),
        state: None,
        headline: "41.2 MiB of files".to_owned(),
        is_quiet: false,
        measures: vec![measured("effective", None, 43_201_331)],
        notices: Vec::new(),
        tables: Vec::new(),
        origin: vec!["image ID sha256:e4f5".to_owned()],
    }
}

pub(crate) fn briefing(subjects: Vec<Subject>) -> Briefing {
    let headline = "failed: 1 of 2 images is over budget".to_owned();
    Briefing { about: About::Gate, headline, subjects, next: Vec::new() }
}

/// An image over its budget.
pub(crate) fn gate() -> Briefing {
    const TENTH: u64 = (1 << 20) / 10;
    let budget = |figure: Measured, budget: &str, state| Measured {
        budget: Some(budget.to_owned()),
        state: Some(state),
        ..figure
    };
    let mut image = subject("ghcr.io/acme/app:1");
    image.state = Some(State::Fail);
    image.headline = "+41.2 MiB effective (budget +10.0 MiB)".to_owned();
    image.measures = vec![
        budget(
            measured("own-compressed", Some(610 * TENTH), 749 * TENTH),
            "<= 80.0 MiB",
            State::Pass,
        ),
        budget(
            measured("own-effective", Some(1803 * TENTH), 2215 * TENTH),
            "+10.0 MiB",
            State::Fail,
        ),
        measured("base", Some(289 * TENTH), 291 * TENTH),
    ];
    image.notices = vec![Notice {
        id: "gate-max-increase".to_owned(),
        title: "over its budget".to_owned(),
        level: Level::Error,
        message: "ghcr.io/acme/app:1: own-effective grew by 41.2 MiB, 10.0 MiB are allowed"
            .to_owned(),
        help: Some("accept it, or make it smaller".to_owned()),
        lines: Some(Lines { file: "Dockerfile".to_owned(), first: 12, last: 12 }),
        paths: Vec::new(),
        bytes: 412 * TENTH,
        figure: None,
        fingerprint: vec!["gate-max-increase".to_owned(), "ghcr.io/acme/app:1".to_owned()],
    }];
    image.tables = vec![Table {
        title: "Who grew".to_owned(),
        name: "who-grew",
        columns: vec!["change", "instruction"],
        rows: vec![vec![
            Cell::Delta(41_733_325),
            Cell::Code("RUN pip install -r requirements.txt | tee log".to_owned()),
        ]],
        rest: Some("2 more: 1.4 MiB".to_owned()),
        is_open: true,
    }];
    let mut briefing = briefing(vec![image]);
    briefing.next = vec!["accept it: `jettison baseline update`".to_owned()];
    briefing
}

/// An image of which everything is hostile.
pub(crate) fn hostile() -> Subject {
    let mut image = subject("ghcr.io/acme/app:1");
    let levels = [Level::Error, Level::Warning, Level::Note];
    for (at, bytes) in HOSTILE.into_iter().enumerate() {
        image.notices.push(notice(levels[at % 3], "secrets", &text(bytes), bytes, at as u64));
        image.tables.push(Table {
            title: text(bytes),
            name: "files",
            columns: vec!["bytes", "text", "code", "nothing"],
            rows: vec![vec![
                Cell::Bytes(at as u64),
                Cell::Text(text(bytes)),
                Cell::Code(escape::path(bytes)),
                Cell::Empty,
            ]],
            rest: Some(text(bytes)),
            is_open: at % 2 == 0,
        });
        image.origin.push(text(bytes));
        image.measures.push(Measured {
            budget: Some(text(bytes)),
            state: Some(State::Fail),
            ..measured(&text(bytes), Some(1), 2)
        });
    }
    image
}

/// Images with hostile names and headlines, and hostile things to do.
pub(crate) fn hostile_names() -> Briefing {
    let subjects = HOSTILE.into_iter().map(|bytes| {
        let headline = text(bytes);
        Subject { headline, ..subject(&text(bytes)) }
    });
    let mut briefing = briefing(subjects.collect());
    briefing.next = HOSTILE.into_iter().map(text).collect();
    briefing.headline = text(HOSTILE[27]);
    briefing
}

/// An image of which a hundred thousand things are told.
pub(crate) fn huge() -> Subject {
    let mut image = subject("ghcr.io/acme/app:1");
    let levels = [Level::Error, Level::Warning, Level::Note];
    let mut table = Table {
        title: "Files".to_owned(),
        name: "files",
        columns: vec!["change", "path"],
        rows: Vec::new(),
        rest: None,
        is_open: false,
    };
    for number in 0..100_000_u32 {
        let path = format!("usr/share/{number}/@file|{number}`");
        let message = format!("ghcr.io/acme/app:1: {path} is there");
        let level = levels[number as usize % 3];
        image.notices.push(notice(level, "docs", &message, path.as_bytes(), number.into()));
        table.rows.push(vec![Cell::Delta(number.into()), Cell::Code(path)]);
    }
    image.tables = vec![table.clone(), Table { title: "Others".to_owned(), ..table }];
    image
}
