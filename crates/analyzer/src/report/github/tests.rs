use super::*;
use crate::report::briefing::sample;

/// A command's kind, properties and message.
type Command = (String, Vec<(String, String)>, String);

/// Commands, decoded as the runner does.
fn read(page: &str) -> Vec<Command> {
    let decode = |text: &str| {
        text.replace("%3A", ":")
            .replace("%2C", ",")
            .replace("%0D", "\r")
            .replace("%0A", "\n")
            .replace("%25", "%")
    };
    page.lines()
        .map(|line| {
            let (kind, rest) = line.strip_prefix("::").unwrap().split_once(' ').unwrap();
            assert!(["error", "warning", "notice"].contains(&kind), "{line}");
            let (properties, message) = rest.split_once("::").unwrap();
            let properties = properties.split(',').map(|property| {
                let (name, value) = property.split_once('=').unwrap();
                assert!(["file", "line", "endLine", "title"].contains(&name), "{line}");
                assert!(!value.contains(':'), "{line}");
                (name.to_owned(), decode(value))
            });
            (kind.to_owned(), properties.collect(), decode(message))
        })
        .collect()
}

fn page(briefing: &Briefing) -> String {
    String::from_utf8(render(briefing)).unwrap()
}

#[test]
fn an_annotation_stands_at_its_line() {
    assert_eq!(
        page(&sample::gate()),
        "::error file=Dockerfile,line=12,endLine=12,title=over its budget::ghcr.io/acme/app:1: \
         own-effective grew by 41.2 MiB, 10.0 MiB are allowed. What to do: accept it, or make it \
         smaller (linux/amd64)\n"
    );
}

#[test]
fn an_image_without_notices_is_told_by_its_headline() {
    let mut briefing = sample::briefing(vec![sample::subject("app:1")]);
    assert_eq!(
        page(&briefing),
        "::notice title=jettison gate::app:1 (linux/amd64): 41.2 MiB of files\n"
    );
    briefing.subjects[0].state = Some(State::Fail);
    assert!(page(&briefing).starts_with("::error title=jettison gate::"));
    briefing.subjects[0].is_quiet = true;
    assert_eq!(page(&briefing), "");
}

#[test]
fn nothing_of_an_image_is_a_command() {
    for (at, bytes) in sample::HOSTILE.into_iter().enumerate() {
        let mut image = sample::subject(&sample::text(bytes));
        image.notices =
            vec![sample::notice(Level::Warning, "docs", &sample::text(bytes), bytes, 1)];
        image.notices[0].lines =
            Some(crate::report::briefing::Lines { file: sample::text(bytes), first: 1, last: 2 });
        let read = read(&page(&sample::briefing(vec![image])));
        let [(kind, properties, message)] = read.as_slice() else { panic!("{at}: {read:?}") };
        let text = sample::text(bytes);
        assert_eq!((kind.as_str(), properties.len()), ("warning", 4));
        assert_eq!((&properties[0].1, &properties[3].1), (&text, &text));
        assert_eq!(*message, format!("{text}. What to do: {text} (linux/amd64)"));
    }
}

#[test]
fn github_is_not_given_more_than_it_shows() {
    let read = read(&page(&sample::briefing(vec![sample::huge()])));
    assert_eq!(read.len(), 3 * ANNOTATIONS_MAX);
    for (kind, all) in [("error", 33_334), ("warning", 33_333), ("notice", 33_333)] {
        let of_kind: Vec<_> = read.iter().filter(|(other, ..)| other == kind).collect();
        assert_eq!(of_kind.len(), ANNOTATIONS_MAX);
        assert_eq!(of_kind[9].2, format!("{} more of this kind: other formats have them", all - 9));
    }
    assert!(read[0].2.starts_with("ghcr.io/acme/app:1: usr/share/99999/"), "the largest first");
}
