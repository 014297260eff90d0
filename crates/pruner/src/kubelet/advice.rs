//! Where a kubelet's configuration acts against a policy, and the lines that mend it.

use std::time::Duration;

use jettison_oci::Bytes;
use schemars::JsonSchema;
use serde::Serialize;

use super::Intent;
use super::configuration::{Amount, Configuration, Disk, Eviction, HIGH, LOW, MAXIMUM_AGE};
use super::configuration::{MINIMUM_AGE, Setting};
use super::quantity::{WHOLE, go, percent};
use crate::report::span;

/// How far apart thresholds are best: what is written and removed between two looks.
const GAP: u8 = 5;

/// What is amiss. The words are a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The low threshold is not below the high one: no kubelet starts with that.
    ThresholdOrder,
    /// The maximum age is not above the minimum age: no kubelet starts with that.
    MaximumAgeOrder,
    /// The kubelet removes by age before jettison does, or soon after.
    MaximumAge,
    /// The kubelet removes by age what jettison keeps by a rule or a template.
    MaximumAgeKeeps,
    /// The kubelet removes for space before jettison does.
    HighThresholdFirst,
    /// Pods are evicted before the kubelet removes images for space.
    HighThresholdEviction,
    /// On smaller file systems pods are evicted before the kubelet removes images for space.
    HighThresholdEvictionBytes,
    /// The kubelet removes for space what jettison counts as just pulled.
    MinimumAge,
}

impl Code {
    /// The word of the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ThresholdOrder => "threshold-order",
            Self::MaximumAgeOrder => "maximum-age-order",
            Self::MaximumAge => "maximum-age",
            Self::MaximumAgeKeeps => "maximum-age-keeps",
            Self::HighThresholdFirst => "high-threshold-first",
            Self::HighThresholdEviction => "high-threshold-eviction",
            Self::HighThresholdEvictionBytes => "high-threshold-eviction-bytes",
            Self::MinimumAge => "minimum-age",
        }
    }
}

/// One field that acts against the policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Advice {
    /// What is amiss.
    pub code: Code,
    /// The field.
    pub field: &'static str,
    /// What stands there, or what the kubelet takes where nothing does.
    pub value: String,
    /// Whether nothing stands there.
    pub is_default: bool,
    /// Why that is amiss.
    pub because: String,
    /// The lines to write into the kubelet's configuration.
    pub write: String,
}

/// Everything in `configuration` that acts against `intent`: first what keeps a kubelet from
/// starting.
pub fn advise(configuration: &Configuration, intent: &Intent) -> Vec<Advice> {
    let rules = Rules { configuration, intent, target: Target::of(configuration, intent) };
    [
        rules.threshold_order(),
        rules.maximum_age_order(),
        rules.maximum_age(),
        rules.high_threshold_first(),
        rules.high_threshold_eviction(),
        rules.high_threshold_eviction_bytes(),
        rules.minimum_age(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The configuration that all advice leads to, so that no two pieces contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Target {
    high: u8,
    low: u8,
    /// Where eviction leaves no room between: what jettison's own thresholds have to be.
    own: Option<(u8, u8)>,
    minimum_age: Duration,
}

impl Target {
    fn of(configuration: &Configuration, intent: &Intent) -> Self {
        // The last whole percent in use at which no pod is evicted.
        let most = soonest(configuration).map_or(100, |(_, share)| {
            u8::try_from((WHOLE - share).div_ceil(1000).saturating_sub(1)).unwrap_or(100)
        });
        let least = intent.thresholds.map_or(1, |(high, _)| high.saturating_add(1));
        let now = configuration.high.value;
        let (high, own) = if least > most {
            let high = most.saturating_sub(GAP - 1).max(1);
            let own = high.saturating_sub(GAP);
            (high, Some((own, own.saturating_sub(2 * GAP))))
        } else if now < least {
            (least + (GAP - 1).min((most - least) / 2), None)
        } else if now > most {
            (most - (GAP - 1).min((most - least) / 2), None)
        } else {
            (now, None)
        };
        let low = configuration.low.value;
        Self {
            high,
            low: if low < high { low } else { high.saturating_sub(GAP) },
            own,
            minimum_age: configuration.minimum_age.value.max(intent.min_age),
        }
    }

    fn thresholds(self) -> String {
        let lines = format!("{HIGH}: {}\n{LOW}: {}", self.high, self.low);
        match self.own {
            Some((high, low)) => format!(
                "{lines}\n# and for jettison: --high-threshold {high} --low-threshold {low}"
            ),
            None => lines,
        }
    }
}

/// The eviction by a share that begins first, and that share.
fn soonest(configuration: &Configuration) -> Option<(&Eviction, u32)> {
    let shares = configuration.evictions.iter().filter_map(|eviction| match eviction.free {
        Amount::Share(share) => Some((eviction, share)),
        Amount::Bytes(_) => None,
    });
    // Of several that begin together the first is told of: images' own, and at once.
    shares.reduce(|first, next| if next.1 > first.1 { next } else { first })
}

struct Rules<'a> {
    configuration: &'a Configuration,
    intent: &'a Intent,
    target: Target,
}

impl Rules<'_> {
    fn high(&self, code: Code, because: String, write: String) -> Advice {
        let Setting { value, is_default } = self.configuration.high;
        Advice { code, field: HIGH, value: value.to_string(), is_default, because, write }
    }

    fn threshold_order(&self) -> Option<Advice> {
        let (high, low) = (self.configuration.high, self.configuration.low);
        (low.value >= high.value).then(|| Advice {
            code: Code::ThresholdOrder,
            field: LOW,
            value: low.value.to_string(),
            is_default: low.is_default,
            because: format!(
                "{} % is not below {HIGH}, {} %: no kubelet starts with that.",
                low.value, high.value
            ),
            write: self.target.thresholds(),
        })
    }

    fn age(&self, code: Code, because: String) -> Advice {
        let Setting { value, is_default } = self.configuration.maximum_age;
        let write = format!("{MAXIMUM_AGE}: 0s");
        Advice { code, field: MAXIMUM_AGE, value: go(value), is_default, because, write }
    }

    fn maximum_age_order(&self) -> Option<Advice> {
        let minimum = self.configuration.minimum_age.value;
        let maximum = self.configuration.maximum_age.value;
        (!maximum.is_zero() && maximum <= minimum).then(|| {
            let because = format!(
                "{} is not above {MINIMUM_AGE}, {}: no kubelet starts with that.",
                span(maximum),
                span(minimum)
            );
            self.age(Code::MaximumAgeOrder, because)
        })
    }

    fn maximum_age(&self) -> Option<Advice> {
        let maximum = self.configuration.maximum_age.value;
        if maximum.is_zero() {
            return None;
        }
        let older_than = self.intent.older_than;
        let (kubelet, own) = (span(maximum), span(older_than));
        let memory = "It counts in memory, from its own start: what no container ever had goes as \
                      soon as the kubelet has been up for that long, however new it is.";
        // A look a day, a quiet window, a node that was off: less than twice as long is no distance.
        if maximum >= older_than.saturating_mul(2) {
            let because = format!(
                "The kubelet removes what no container had for {kubelet}, also what jettison keeps \
                 by a keep rule, a template or its label. {memory}"
            );
            return Some(self.age(Code::MaximumAgeKeeps, because));
        }
        let relation = if maximum <= older_than {
            format!("which is before jettison's {own}")
        } else {
            format!("which is soon after jettison's {own}")
        };
        let because = format!(
            "The kubelet removes what no container had for {kubelet}, {relation}, and knows no keep \
             rules, no templates and no history. {memory}"
        );
        Some(self.age(Code::MaximumAge, because))
    }

    fn high_threshold_first(&self) -> Option<Advice> {
        let (high, low) = self.intent.thresholds?;
        let kubelet = self.configuration.high.value;
        (kubelet <= high).then(|| {
            let because = format!(
                "The kubelet removes images from {kubelet} % of the disk in use on, jettison only \
                 from {high} % on (down to {low} %): the kubelet comes first, and knows no keep \
                 rules, no templates and no history."
            );
            self.high(Code::HighThresholdFirst, because, self.target.thresholds())
        })
    }

    fn high_threshold_eviction(&self) -> Option<Advice> {
        let (eviction, share) = soonest(self.configuration)?;
        let high = self.configuration.high.value;
        if u32::from(high) * 1000 < WHOLE - share {
            return None;
        }
        let acts = if high == 100 {
            "at 100 the kubelet removes no images for space at all".to_owned()
        } else {
            format!("the kubelet removes images only from {high} % on")
        };
        let because = format!(
            "Pods are evicted with less than {} free, which is above {} % in use ({}{}); {acts}: \
             pods go before unused images do.{}",
            eviction.free,
            percent(WHOLE - share),
            eviction.field(),
            if eviction.is_default { ", by default" } else { "" },
            beside(eviction)
        );
        Some(self.high(Code::HighThresholdEviction, because, self.target.thresholds()))
    }

    fn high_threshold_eviction_bytes(&self) -> Option<Advice> {
        let in_bytes = self.configuration.evictions.iter().filter_map(|eviction| {
            let Amount::Bytes(bytes) = eviction.free else { return None };
            Some((eviction, bytes))
        });
        let (eviction, bytes) =
            in_bytes.reduce(|most, next| if next.1 > most.1 { next } else { most })?;
        let high = self.target.high.min(99);
        let free = u64::from(100 - high);
        let size = bytes.saturating_mul(100).div_ceil(free);
        let because = format!(
            "Pods are evicted with less than {} free ({}): on a file system smaller than {} that is \
             before {high} % of it is in use, so pods go before unused images do.{}",
            Bytes(bytes),
            eviction.field(),
            Bytes(size),
            beside(eviction)
        );
        let write = format!(
            "# on {} and more; on less, below 100 - 100 * {} / size\n{}",
            Bytes(size),
            Bytes(bytes),
            self.target.thresholds()
        );
        Some(self.high(Code::HighThresholdEvictionBytes, because, write))
    }

    fn minimum_age(&self) -> Option<Advice> {
        let Setting { value, is_default } = self.configuration.minimum_age;
        (value < self.intent.min_age).then(|| Advice {
            code: Code::MinimumAge,
            field: MINIMUM_AGE,
            value: go(value),
            is_default,
            because: format!(
                "For space the kubelet removes what it first saw {} ago, jettison nothing that it \
                 first saw less than {} ago: an image that was pulled ahead of its pod goes.",
                span(value),
                span(self.intent.min_age)
            ),
            write: format!("{MINIMUM_AGE}: {}", go(self.target.minimum_age)),
        })
    }
}

/// When a threshold of the kubelet's own file system is about images.
fn beside(eviction: &Eviction) -> &'static str {
    match eviction.disk {
        Disk::Images => "",
        Disk::Node => " This holds where images are on the kubelet's own file system.",
    }
}

#[cfg(test)]
mod tests;
