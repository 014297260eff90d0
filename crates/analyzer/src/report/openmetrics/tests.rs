use std::collections::HashSet;

use super::*;
use crate::report::briefing::sample;

/// A sample: its name, its labels with their values, its value.
type Sample = (String, Vec<(String, String)>, f64);

/// Reads an exposition, and holds it to the specification.
fn read(briefing: &Briefing) -> Vec<Sample> {
    let bytes = render(briefing);
    assert_eq!(bytes, render(briefing), "the same input, the same exposition");
    let text = String::from_utf8(bytes).unwrap();
    let body = text.strip_suffix("# EOF\n").unwrap();
    assert!(!body.contains("# EOF"));
    let (mut families, mut series) = (HashSet::new(), HashSet::new());
    let (mut family, mut samples) = (String::new(), Vec::new());
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let (word, rest) = rest.split_once(' ').unwrap();
            let (name, told) = rest.split_once(' ').unwrap();
            match word {
                "TYPE" => {
                    assert_eq!(told, "gauge");
                    assert!(families.insert(name.to_owned()), "{name} is in one piece");
                    name.clone_into(&mut family);
                }
                "UNIT" => assert!(name.ends_with(&format!("_{told}")), "{line}"),
                "HELP" => assert!(!told.is_empty()),
                other => panic!("{other}"),
            }
            assert_eq!(name, family);
            continue;
        }
        let (name, rest) = line.split_once('{').unwrap();
        assert_eq!(name, family);
        assert!(name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric()), "{name}");
        let (labels, value) = rest.rsplit_once("} ").unwrap();
        assert!(series.insert(format!("{name}{labels}")), "{line}");
        samples.push((name.to_owned(), read_labels(labels), value.parse().unwrap()));
    }
    samples
}

fn read_labels(mut text: &str) -> Vec<(String, String)> {
    let mut labels = Vec::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once("=\"").unwrap();
        let (mut value, mut characters) = (String::new(), rest.char_indices());
        let end = loop {
            match characters.next().unwrap() {
                (_, '\\') => match characters.next().unwrap().1 {
                    'n' => value.push('\n'),
                    other => value.push(other),
                },
                (at, '"') => break at,
                (_, other) => value.push(other),
            }
        };
        labels.push((name.to_owned(), value));
        text = rest[end + 1..].trim_start_matches(',');
    }
    labels
}

#[test]
fn figures_baselines_and_budgets_are_series() {
    let samples = read(&sample::gate());
    let of = |name: &str| samples.iter().filter(|sample| sample.0 == name).collect::<Vec<_>>();
    let own = of("jettison_image_own_effective_bytes");
    assert_eq!(own[0].1[0], ("image".to_owned(), "ghcr.io/acme/app:1".to_owned()));
    assert!((own[0].2 - 232_258_255.0).abs() < 0.5, "{own:?}");
    assert_eq!(of("jettison_baseline_own_effective_bytes").len(), 1);
    assert_eq!(of("jettison_budget_exceeded").len(), 2);
    assert_eq!(of("jettison_image_notices").len(), 3);
}

#[test]
fn ratios_have_their_unit_and_images_their_own_series() {
    let mut image = sample::subject("a");
    image.measures[0].unit = Unit::Millionths;
    image.measures[0].name = "efficiency".to_owned();
    image.measures[0].value = Some(71_882);
    let page = render(&sample::briefing(vec![image.clone(), image.clone()]));
    let text = String::from_utf8(page).unwrap();
    assert!(text.contains("# UNIT jettison_image_efficiency_ratio ratio\n"), "{text}");
    assert!(text.contains("{image=\"a\",platform=\"linux/amd64\"} 0.071882\n"), "{text}");
    assert!(
        text.contains("{image=\"a\",platform=\"linux/amd64\",again=\"2\"} 0.071882\n"),
        "{text}"
    );
    read(&sample::briefing(vec![image.clone(), image]));
}

#[test]
fn names_are_told_as_they_are() {
    let samples = read(&sample::hostile_names());
    for bytes in sample::HOSTILE {
        let name = sample::text(bytes);
        assert!(samples.iter().any(|sample| sample.1[0].1 == name), "{name}");
    }
    assert_eq!(render(&sample::briefing(Vec::new())), b"# EOF\n");
    assert!(read(&sample::briefing(vec![sample::huge()])).len() < 10);
}
