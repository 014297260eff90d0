use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd};

use super::*;
use crate::report::briefing::{About, sample};

fn page(briefing: &Briefing) -> String {
    let page = String::from_utf8(render(briefing)).unwrap();
    assert_eq!(page.as_bytes(), render(briefing), "the same input, the same page");
    assert!(page.chars().count() <= CHARACTERS_MAX);
    assert!(!page.chars().any(|c| c.is_control() && c != '\n'));
    page
}

/// What GitHub makes links of in text that is no code.
fn is_inert(text: &str) -> bool {
    let number = |sign: &str| {
        text.split(sign).skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
    };
    !(text.contains(['@', '$'])
        || text.contains("://")
        || text.contains("www.")
        || number("#")
        || number("GH-"))
}

/// Reads a page as GitHub does; holds that nothing of it acts; gives its code and how often its
/// tables' rows and lists' items occur.
fn read(page: &str) -> (Vec<String>, usize, usize) {
    let (mut code, mut rows, mut items) = (Vec::new(), 0, 0);
    let (mut columns, mut cells, mut open, mut text) = (0, 0, 0_i32, String::new());
    let mut comments = 0;
    let mut html = |html: CowStr<'_>, open: &mut i32| {
        let line = html.trim_end();
        if let Some(rest) = line.strip_prefix("<details><summary>") {
            *open += 1;
            let title = rest.strip_suffix("</summary>").unwrap();
            let title = title.replace("<code>", "").replace("</code>", "");
            assert!(!title.contains(['<', '>']), "{title}");
        } else if line == "</details>" {
            *open -= 1;
        } else if let Some(rest) = line.strip_prefix("<!-- jettison-") {
            comments += 1;
            assert!(!rest.strip_suffix("-->").unwrap().contains("--"), "{line}");
        } else {
            assert!(matches!(line, "<sub>" | "</sub>" | ""), "{line}");
        }
    };
    for event in Parser::new_ext(page, Options::all() - Options::ENABLE_SMART_PUNCTUATION) {
        match event {
            Event::Text(piece) => {
                text.push_str(&piece);
                continue;
            }
            Event::Code(piece) => code.push(piece.into_string()),
            Event::Html(piece) | Event::InlineHtml(piece) => html(piece, &mut open),
            Event::Start(Tag::Table(alignments)) => columns = alignments.len(),
            Event::Start(Tag::TableRow | Tag::TableHead) => cells = 0,
            Event::Start(Tag::TableCell) => cells += 1,
            Event::End(TagEnd::TableRow) => {
                rows += 1;
                assert_eq!(cells, columns);
            }
            Event::Start(Tag::Item) => items += 1,
            Event::Start(
                Tag::Heading { .. }
                | Tag::Paragraph
                | Tag::List(None)
                | Tag::HtmlBlock
                | Tag::Strong
                | Tag::Emphasis,
            )
            | Event::End(_)
            | Event::SoftBreak => {}
            other => panic!("{other:?}"),
        }
        assert!(is_inert(&text), "{text}");
        text.clear();
    }
    assert_eq!((open, comments), (0, 1), "{page}");
    (code, rows, items)
}

#[test]
fn a_gate_that_fails_says_so_in_its_first_lines() {
    let page = page(&sample::gate());
    read(&page);
    let nb = page.replace('\u{a0}', " ");
    let expected = "\
<!-- jettison-gate:ghcr.io/acme/app:1 -->
### ❌ `ghcr.io/acme/app:1`: +41.2 MiB effective (budget +10.0 MiB)

| metric (linux/amd64) | base | this | Δ | budget |
| --- | --: | --: | --: | --- |
| own-compressed | 61.0 MiB | 74.9 MiB | +13.9 MiB (+22.8 %) | &lt;= 80.0 MiB ✅ |
| own-effective | 180.3 MiB | 221.5 MiB | +41.2 MiB (+22.9 %) | +10.0 MiB ❌ |
| base | 28.9 MiB | 29.1 MiB | +204.8 KiB (+0.7 %) | not gated |

- ❌ **over its budget** (`gate-max-increase`): own-effective grew by 41.2 MiB, 10.0 MiB are \
allowed. *What to do:* accept it, or make it smaller. `Dockerfile:12`

**Who grew**

| change | instruction |
| --: | --- |
| +39.8 MiB | `RUN pip install -r requirements.txt \\| tee log` |

2 more: 1.4 MiB

<sub>image ID sha256:e4f5</sub>

**Next**: accept it: `jettison baseline update`
";
    let (front, tool) = nb.rsplit_once("\n\n").unwrap();
    assert_eq!(format!("{front}\n"), expected);
    assert!(tool.starts_with("<sub>jettison "), "{tool}");
}

#[test]
fn nothing_new_is_one_line() {
    let mut quiet = sample::gate();
    quiet.subjects[0].is_quiet = true;
    quiet.subjects[0].state = Some(State::Pass);
    quiet.subjects[0].headline = "within all 3 budgets".to_owned();
    let expected = "<!-- jettison-gate:ghcr.io/acme/app:1 -->\n✅ jettison gate: `ghcr.io/acme/app:1`: within all 3 budgets\n";
    assert_eq!(page(&quiet), expected);
    quiet.about = About::Diff;
    quiet.subjects[0].state = None;
    assert!(
        page(&quiet).starts_with("<!-- jettison-diff:ghcr.io/acme/app:1 -->\n✅ jettison diff: ")
    );
}

#[test]
fn of_several_images_the_quiet_have_a_line() {
    let mut gate = sample::gate();
    let mut quiet = gate.subjects[0].clone();
    quiet.image = format!("b@sha256:{}", "0".repeat(64));
    quiet.is_quiet = true;
    quiet.state = Some(State::Pass);
    gate.subjects.push(quiet);
    let page = page(&gate);
    read(&page);
    assert!(page.starts_with(
        "<!-- jettison-gate:b,ghcr.io/acme/app:1 -->\n### ❌ failed: 1 of 2 images is over budget\n\n\
         #### ❌ `ghcr.io/acme/app:1` (linux/amd64): "
    ));
    assert!(page.contains("\n✅ `b@sha256:"));
}

#[test]
fn nothing_of_an_image_acts() {
    let (code, rows, items) = {
        let page = page(&sample::briefing(vec![sample::hostile()]));
        read(&page)
    };
    let count = sample::HOSTILE.len();
    assert_eq!((rows, items), (1 + 2 * count, count));
    for bytes in sample::HOSTILE {
        let path = jettison_oci::escape::path(bytes);
        // As it is, or in pieces where a bar stands behind a backslash.
        let is_there = code.contains(&path)
            || path.split("\\|").all(|piece| code.iter().any(|code| code.contains(piece)));
        assert!(is_there, "{path}: {code:#?}");
    }
    read(&page(&sample::hostile_names()));
    for bytes in sample::HOSTILE {
        let mut alone = sample::briefing(vec![sample::subject(&sample::text(bytes))]);
        alone.subjects[0].headline = sample::text(bytes);
        alone.headline = sample::text(bytes);
        read(&page(&alone));
        alone.subjects[0].is_quiet = true;
        let page = page(&alone);
        assert_eq!(page.lines().count(), 2, "{page}");
        read(&page);
    }
}

#[test]
fn whatever_there_is_fits_a_comment() {
    let huge = page(&sample::briefing(vec![sample::huge()]));
    read(&huge);
    assert!(huge.chars().count() > CHARACTERS_MAX - 1000, "no room is wasted");
    assert!(huge.contains("more rows left out for room"), "{huge}");
    assert!(huge.contains("GitHub takes 65536 characters"));
    assert!(huge.contains("<sub>jettison "), "what to do next stays");

    // The last list goes first.
    let mut lists = sample::huge();
    lists.notices.truncate(3);
    lists.tables[0].rows.truncate(1000);
    let page_of_lists = page(&sample::briefing(vec![lists]));
    let (_, rows, items) = read(&page_of_lists);
    assert!(rows > 1001 && items == 3, "{rows}");
    assert!(page_of_lists.contains("<summary>Others</summary>"));

    // Texts of any length, and images of any number.
    let mut long = sample::gate();
    let text = "`|@<".repeat(40_000);
    long.subjects[0].image.clone_from(&text);
    long.subjects[0].headline.clone_from(&text);
    long.subjects[0].notices[0].message.clone_from(&text);
    long.subjects[0].tables[0].rows[0][1] = Cell::Code(text);
    let page_of_long = page(&long);
    read(&page_of_long);
    assert!(page_of_long.starts_with("<!-- jettison-gate:"));
    let many = (0..5000)
        .map(|number| Subject { image: number.to_string(), ..sample::gate().subjects[0].clone() });
    let page_of_many = page(&sample::briefing(many.collect()));
    read(&page_of_many);
    assert!(page_of_many.contains("whole parts are left out"));
}
