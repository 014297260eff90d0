//! The fields of a kubelet's configuration that images depend on, with the kubelet's own defaults.

use std::time::Duration;

use jettison_oci::escape;
use serde_json::{Map, Value};

pub use super::quantity::Amount;
use super::quantity::{duration, threshold};
use crate::error::{Error, Result};

/// The largest file that is read, in bytes: those of kubelets have a few KiB.
pub const SIZE_MAX: usize = 1 << 20;

/// The fields.
pub const MINIMUM_AGE: &str = "imageMinimumGCAge";
/// See [`MINIMUM_AGE`].
pub const MAXIMUM_AGE: &str = "imageMaximumGCAge";
/// See [`MINIMUM_AGE`].
pub const HIGH: &str = "imageGCHighThresholdPercent";
/// See [`MINIMUM_AGE`].
pub const LOW: &str = "imageGCLowThresholdPercent";

/// The signals whose thresholds are about file systems that images are on.
const SIGNALS: [(Disk, &str, u32); 2] =
    [(Disk::Images, "imagefs.available", 15_000), (Disk::Node, "nodefs.available", 10_000)];

/// A value, and whether it is only there because nobody said another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Whether it is the kubelet's default.
    pub is_default: bool,
}

/// A file system as the kubelet tells them apart. Where images have none of their own, both are the
/// same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disk {
    /// That of images.
    Images,
    /// The kubelet's own.
    Node,
}

/// When pods are evicted for the space that is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eviction {
    /// Where.
    pub disk: Disk,
    /// At once, or after a time of grace.
    pub is_hard: bool,
    /// When less than this is free.
    pub free: Amount,
    /// Whether it is the kubelet's default.
    pub is_default: bool,
}

impl Eviction {
    /// The field, and the signal in it: `evictionHard imagefs.available`.
    pub fn field(&self) -> String {
        let signal = match self.disk {
            Disk::Images => SIGNALS[0].1,
            Disk::Node => SIGNALS[1].1,
        };
        format!("{} {signal}", if self.is_hard { "evictionHard" } else { "evictionSoft" })
    }
}

/// What a kubelet does with images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// How long an image has to be there before it goes for space.
    pub minimum_age: Setting<Duration>,
    /// After which time without a container an image goes; zero for never.
    pub maximum_age: Setting<Duration>,
    /// From which share of the disk in use on images go, in percent; 100 for never.
    pub high: Setting<u8>,
    /// Until which share.
    pub low: Setting<u8>,
    /// When pods go instead.
    pub evictions: Vec<Eviction>,
}

impl Configuration {
    /// Reads a `KubeletConfiguration` in YAML or JSON, or what a kubelet answers at `/configz`.
    /// Other fields are passed over.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        parse(bytes).map_err(|because| Error::Unreadable(format!("it {because}")))
    }
}

fn parse(bytes: &[u8]) -> Result<Configuration, String> {
    if bytes.len() > SIZE_MAX {
        return Err(format!("is larger than {} MiB, expected a few KiB", SIZE_MAX >> 20));
    }
    // JSON is YAML too.
    let document: Value = serde_saphyr::from_slice(bytes).map_err(|error| {
        let words: String = escape::line(&error.to_string()).chars().take(300).collect();
        format!("is neither YAML nor JSON, or several documents ({words})")
    })?;
    let Value::Object(document) = &document else {
        return Err(format!("holds {}, expected a KubeletConfiguration", name(&document)));
    };
    let fields = match document.get("kubeletconfig") {
        Some(Value::Object(fields)) => fields,
        Some(other) => return Err(wrong("kubeletconfig", other, "an object")),
        None => {
            let kind = document.get("kind").and_then(Value::as_str);
            if kind != Some("KubeletConfiguration") {
                let kind = kind.map(|kind| format!("the kind {}", escape::line(kind)));
                let found = kind.unwrap_or_else(|| "an object without a kind".to_owned());
                return Err(format!(
                    "holds {found}, expected the kind KubeletConfiguration, or what a kubelet \
                     answers at /configz"
                ));
            }
            document
        }
    };
    Fields(fields).configuration()
}

struct Fields<'a>(&'a Map<String, Value>);

impl Fields<'_> {
    /// A field's value; `None` where it is absent or null, which is the same to the kubelet.
    fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field).filter(|value| !value.is_null())
    }

    fn configuration(&self) -> Result<Configuration, String> {
        let mut minimum_age = self.time(MINIMUM_AGE, Duration::from_mins(2))?;
        if minimum_age.value.is_zero() {
            // The kubelet takes a zero for nothing said; kubeadm writes one.
            minimum_age = Setting { value: Duration::from_mins(2), is_default: true };
        }
        let mut evictions = self.evictions(true)?;
        evictions.extend(self.evictions(false)?);
        Ok(Configuration {
            minimum_age,
            maximum_age: self.time(MAXIMUM_AGE, Duration::ZERO)?,
            high: self.percent(HIGH, 85)?,
            low: self.percent(LOW, 80)?,
            evictions,
        })
    }

    fn time(&self, field: &str, default: Duration) -> Result<Setting<Duration>, String> {
        let Some(value) = self.get(field) else {
            return Ok(Setting { value: default, is_default: true });
        };
        let expected = "a text with a duration of h, m and s, such as \"168h\"";
        let Value::String(text) = value else { return Err(wrong(field, value, expected)) };
        let value = duration(text).ok_or_else(|| wrong(field, value, expected))?;
        Ok(Setting { value, is_default: false })
    }

    fn percent(&self, field: &str, default: u8) -> Result<Setting<u8>, String> {
        let Some(value) = self.get(field) else {
            return Ok(Setting { value: default, is_default: true });
        };
        let number = value.as_u64().and_then(|number| u8::try_from(number).ok());
        let number = number.filter(|number| *number <= 100);
        let number = number.ok_or_else(|| wrong(field, value, "a whole number from 0 to 100"))?;
        Ok(Setting { value: number, is_default: false })
    }

    fn evictions(&self, is_hard: bool) -> Result<Vec<Eviction>, String> {
        let field = if is_hard { "evictionHard" } else { "evictionSoft" };
        let given = match self.get(field) {
            Some(Value::Object(given)) => Some(given),
            Some(other) => return Err(wrong(field, other, "an object of signals")),
            None => None,
        };
        let merges = match self.get("mergeDefaultEvictionSettings") {
            Some(Value::Bool(merges)) => *merges,
            Some(other) => {
                return Err(wrong("mergeDefaultEvictionSettings", other, "true or false"));
            }
            None => false,
        };
        // Whoever names one signal turns all others off, unless they are merged.
        let has_defaults = is_hard && (given.is_none_or(Map::is_empty) || merges);
        let mut evictions = Vec::new();
        for (disk, signal, default) in SIGNALS {
            let free = match given.and_then(|given| given.get(signal)) {
                Some(value) => {
                    let field = format!("{field} {signal}");
                    let error = || wrong(&field, value, "a text such as \"15%\" or \"10Gi\"");
                    let text = value.as_str().ok_or_else(error)?;
                    threshold(text).ok_or_else(error)?.map(|free| (free, false))
                }
                None => has_defaults.then_some((Amount::Share(default), true)),
            };
            if let Some((free, is_default)) = free {
                evictions.push(Eviction { disk, is_hard, free, is_default });
            }
        }
        Ok(evictions)
    }
}

fn wrong(field: &str, found: &Value, expected: &str) -> String {
    let found = match found {
        Value::String(text) => format!("{:?}", escape::line(text)),
        Value::Number(number) => number.to_string(),
        other => name(other).to_owned(),
    };
    let found: String = found.chars().take(100).collect();
    format!("has {field} {found}, expected {expected}")
}

fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";

    fn read(more: &str) -> Configuration {
        Configuration::read(format!("{HEAD}{more}").as_bytes()).unwrap()
    }

    fn evictions(more: &str) -> Vec<String> {
        let list = read(more).evictions;
        list.iter().map(|one| format!("{} {}", one.field(), one.free)).collect()
    }

    #[test]
    fn what_is_absent_is_the_kubelet_s_default() {
        let read = read("maxPods: 110\n");
        assert_eq!(read.minimum_age, Setting { value: Duration::from_mins(2), is_default: true });
        assert_eq!(read.maximum_age, Setting { value: Duration::ZERO, is_default: true });
        assert_eq!((read.high.value, read.low.value), (85, 80));
        assert!(read.evictions.iter().all(|one| one.is_default && one.is_hard));
        assert_eq!(
            evictions(""),
            ["evictionHard imagefs.available 15 %", "evictionHard nodefs.available 10 %"]
        );
    }

    #[test]
    fn zero_and_null_are_taken_as_the_kubelet_takes_them() {
        let zero = read("imageMinimumGCAge: 0s\nimageMaximumGCAge: 0s\n");
        assert_eq!(zero.minimum_age, Setting { value: Duration::from_mins(2), is_default: true });
        assert!(zero.maximum_age.value.is_zero());
        assert!(read("imageGCHighThresholdPercent: null\n").high.is_default);
    }

    #[test]
    fn configz_is_read_as_it_is_saved() {
        let text = r#"{"kubeletconfig":{"enableServer":true,"imageMinimumGCAge":"2m0s",
            "imageMaximumGCAge":"168h0m0s","imageGCHighThresholdPercent":90,
            "evictionHard":{"imagefs.available":"5%","nodefs.available":"5%"}}}"#;
        let read = Configuration::read(text.as_bytes()).unwrap();
        assert_eq!(read.maximum_age.value, Duration::from_hours(168));
        assert_eq!(read.high, Setting { value: 90, is_default: false });
        assert_eq!(read.evictions.len(), 2);
        assert_eq!(read.evictions[0].free, Amount::Share(5_000));
    }

    #[test]
    fn who_names_one_signal_turns_the_others_off() {
        assert_eq!(evictions("evictionHard:\n  memory.available: 100Mi\n"), [""; 0]);
        assert_eq!(evictions("evictionHard: {}\n").len(), 2);
        assert_eq!(
            evictions(
                "mergeDefaultEvictionSettings: true\n\
                 evictionHard:\n  imagefs.available: 10Gi\n\
                 evictionSoft:\n  nodefs.available: 20%\n"
            ),
            [
                "evictionHard imagefs.available 10.0 GiB",
                "evictionHard nodefs.available 10 %",
                "evictionSoft nodefs.available 20 %"
            ]
        );
        assert_eq!(evictions("evictionHard:\n  imagefs.available: 0%\n"), [""; 0]);
    }

    #[test]
    fn mistakes_name_the_field() {
        let head = |more: &str| format!("{HEAD}{more}");
        for (text, words) in [
            (head("imageMaximumGCAge: 7d"), "imageMaximumGCAge \"7d\", expected a text with"),
            (head("imageMaximumGCAge: 0"), "imageMaximumGCAge 0, expected a text"),
            (head("imageMinimumGCAge: [1]"), "imageMinimumGCAge a list"),
            (head("imageGCHighThresholdPercent: \"85\""), "\"85\", expected a whole number"),
            (head("imageGCHighThresholdPercent: 85.5"), "85.5, expected a whole number"),
            (head("imageGCLowThresholdPercent: 101"), "imageGCLowThresholdPercent 101"),
            (head("evictionHard: [a]"), "evictionHard a list, expected an object"),
            (head("evictionHard: {imagefs.available: 15}"), "evictionHard imagefs.available 15"),
            (head("evictionSoft: {nodefs.available: x}"), "evictionSoft nodefs.available \"x\""),
            (head("mergeDefaultEvictionSettings: 1"), "mergeDefaultEvictionSettings 1"),
            (head("a: [\n"), "neither YAML nor JSON"),
            (head("---\nkind: Pod"), "several documents"),
            (String::new(), "expected a KubeletConfiguration"),
            ("kind: ConfigMap".to_owned(), "the kind ConfigMap, expected the kind Kubelet"),
            ("a: 1".to_owned(), "an object without a kind"),
            ("[1]".to_owned(), "holds a list"),
            ("{\"kubeletconfig\": 5}".to_owned(), "kubeletconfig 5, expected an object"),
            (format!("# {}", "x".repeat(SIZE_MAX)), "larger than 1 MiB"),
        ] {
            let error = Configuration::read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(words), "{error}\nlacks: {words}");
        }
    }
}
