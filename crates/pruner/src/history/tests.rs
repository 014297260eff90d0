use super::*;
use crate::inventory::Use;
use crate::reference::Outside;
use crate::reference::keep::KeepRules;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

fn at(seconds: u64) -> Moment {
    moment(seconds, seconds)
}

fn moment(wall: u64, uptime: u64) -> Moment {
    let wall = Timestamp::from_second(1_790_000_000 + i64::try_from(wall).unwrap()).unwrap();
    Moment { wall, boot: Some("boot".to_owned()), uptime: Duration::from_secs(uptime) }
}

fn image(name: &str) -> Image {
    Image {
        tags: vec![format!("{name}:1")],
        size: 1,
        ..Image::new(ImageId::new(&format!(
            "sha256:{}",
            jettison_oci::Digest::sha256(name.as_bytes()).hex()
        )))
    }
}

fn used(images: &[Image], names: &[&str]) -> References {
    let container = crate::inventory::Container {
        name: "c".to_owned(),
        images: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Default::default()
    };
    let used = Use { containers: vec![container], ..Use::default() };
    References::gather(images, &used, &Outside::default(), &KeepRules::default()).unwrap()
}

#[test]
fn age_begins_when_the_last_reference_goes() {
    let images = [image("app")];
    let id = &images[0].id;
    let mut history = History::begin("n", "e", &at(0));
    history.observe(&at(0), &images, &used(&images, &["app:1"]));
    assert_eq!(history.unused(id), None);
    history.observe(&at(8 * DAY), &images, &used(&images, &["app:1"]));
    // What happened since the last look is unknown, so the age is nothing yet, and no earlier look
    // agrees.
    history.observe(&at(9 * DAY), &images, &used(&images, &[]));
    assert_eq!(history.unused(id), None);
    history.observe(&at(10 * DAY), &images, &used(&images, &[]));
    assert_eq!(history.unused(id), Some(Duration::from_secs(DAY)));
    let record = history.record(id).unwrap();
    assert_eq!(record.last_referenced, Some(at(8 * DAY).wall));
    // Seen in use for a moment: it starts again.
    history.observe(&at(11 * DAY), &images, &used(&images, &["app:1"]));
    history.observe(&at(11 * DAY + 1), &images, &used(&images, &[]));
    history.observe(&at(11 * DAY + 3), &images, &used(&images, &[]));
    assert_eq!(history.unused(id), Some(Duration::from_secs(2)));
}

#[test]
fn an_image_that_comes_back_is_new() {
    let images = [image("app")];
    let mut history = History::begin("n", "e", &at(0));
    let none = References::default();
    history.observe(&at(0), &images, &none);
    history.observe(&at(DAY), &[], &none);
    assert_eq!(history.record(&images[0].id), None);
    history.observe(&at(2 * DAY), &images, &none);
    assert_eq!(history.unused(&images[0].id), None);
}

#[test]
fn clocks_that_jump_make_nothing_old() {
    let mut images = [image("app")];
    images[0].pulled = Some(at(0).wall);
    images[0].created = Some("2020-01-01T00:00:00Z".parse().unwrap());
    let none = References::default();
    let year = 365 * DAY;
    for (wall, uptime) in [(year, HOUR), (0, HOUR), (1, HOUR)] {
        let mut history = History::begin("n", "e", &at(10));
        history.observe(&at(10), &images, &none);
        let seen = history.observe(&moment(wall, 10 + uptime), &images, &none);
        assert_eq!(seen.stepped, wall != 1 || wall < 10);
        assert_eq!(history.unused(&images[0].id), Some(Duration::from_secs(HOUR)));
        let pulled = history.pulled(&images[0]).unwrap_or_default();
        assert!(pulled <= Duration::from_secs(HOUR + 10), "{pulled:?}");
        // What is first seen after the clock was set has no past.
        let late = [images[0].clone(), image("late")];
        let mut late = late;
        late[1].pulled = Some(at(0).wall);
        history.observe(&moment(wall + 5 * year, 20 + uptime), &late, &none);
        let pulled = history.pulled(&late[1]).unwrap_or_default();
        assert_eq!(pulled, Duration::ZERO);
    }
}

#[test]
fn times_that_cannot_be_are_unknown() {
    let none = References::default();
    for time in ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z"] {
        let mut images = [image("app")];
        images[0].pulled = Some(time.parse().unwrap());
        images[0].created = images[0].pulled;
        let mut history = History::begin("n", "e", &at(0));
        history.observe(&at(0), &images, &none);
        history.observe(&at(DAY), &images, &none);
        assert_eq!(history.pulled(&images[0]), None, "{time}");
        assert_eq!(history.created(&images[0]), None, "{time}");
        assert_eq!(history.present(&images[0]), Duration::from_secs(DAY));
    }
}

#[test]
fn a_known_pull_says_how_long_an_image_is_here() {
    let mut images = [image("app")];
    images[0].pulled = Some(at(0).wall);
    let mut history = History::begin("n", "e", &at(9 * DAY));
    history.observe(&at(9 * DAY), &images, &References::default());
    assert_eq!(history.pulled(&images[0]), Some(Duration::from_secs(9 * DAY)));
    assert_eq!(history.present(&images[0]), Duration::from_secs(9 * DAY));
    assert_eq!(history.unused(&images[0].id), None);
}

#[test]
fn a_removal_that_was_wrong_doubles_the_limit() {
    let images = [image("app"), image("other")];
    let none = References::default();
    let mut history = History::begin("n", "e", &at(0));
    history.observe(&at(0), &images, &none);
    history.forget(&images[0]);
    history.observe(&at(HOUR), &images[1..], &none);
    assert_eq!(history.patience(&images[0]), 1);
    // The same name, whatever its content, is back within a day.
    let mut again = image("else");
    again.tags = vec!["docker.io/library/app:1".to_owned()];
    let seen = history.observe(&at(2 * HOUR), &[again.clone(), images[1].clone()], &none);
    assert_eq!(seen.regretted, ["docker.io/library/app:1"]);
    assert_eq!((history.patience(&again), history.patience(&images[1])), (2, 1));
    assert_eq!(history.regretted, 1);
    // Told once.
    let seen = history.observe(&at(3 * HOUR), &[again.clone()], &none);
    assert_eq!(seen.regretted, [""; 0]);
    // Back after more than a day: no regret.
    history.forget(&again);
    history.observe(&at(4 * HOUR), &[], &none);
    let seen = history.observe(&at(30 * HOUR), &[again], &none);
    assert_eq!(seen.regretted, [""; 0]);
    assert!(history.removed.is_empty());
}
