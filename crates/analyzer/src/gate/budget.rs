//! Budgets: what may be asked of an image.

use std::fmt;
use std::str::FromStr;

use globset::{Glob, GlobMatcher};
use jettison_oci::Bytes;

use crate::gate::measure::Metric;

/// A pattern of names of images, platforms or packages: `*` stands for anything.
#[derive(Clone, Debug)]
pub struct NamePattern {
    text: String,
    matcher: GlobMatcher,
}

impl NamePattern {
    /// Reads a pattern; the error says what is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        let glob = Glob::new(text).map_err(|error| error.to_string())?;
        Ok(Self { text: text.to_owned(), matcher: glob.compile_matcher() })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it fits a name.
    pub fn fits(&self, name: &str) -> bool {
        self.matcher.is_match(name)
    }
}

/// Which images something is asked of.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Names; all where there is none.
    pub image: Option<NamePattern>,
    /// Platforms; all where there is none.
    pub platform: Option<NamePattern>,
}

impl Selection {
    /// Whether an image on a platform is meant. An image is meant by its name as it was typed and
    /// by each other form of it.
    pub fn fits(&self, names: &[String], platform: &str) -> bool {
        self.image.as_ref().is_none_or(|one| names.iter().any(|name| one.fits(name)))
            && self.platform.as_ref().is_none_or(|one| one.fits(platform))
    }
}

/// What a budget is about.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A figure of the image.
    Metric(Metric),
    /// The largest uncompressed layer; above the base where that is known.
    LayerSize,
    /// Live bytes below a directory, which has no slash at either end.
    Directory(String),
    /// Live bytes of the packages of a name: `numpy`, `deb:libc*`.
    Package(NamePattern),
    /// Live bytes over all bytes, in millionths.
    Efficiency,
    /// dive's own figures, by its own definitions.
    Dive(DiveFigure),
}

/// One of dive's figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiveFigure {
    /// `efficiencyScore`, in millionths.
    Efficiency,
    /// `inefficientBytes`.
    WastedBytes,
    /// Those over the bytes of all layers but the first, in millionths.
    UserWastedPercent,
}

impl Subject {
    /// Its words in reports.
    pub fn name(&self) -> String {
        match self {
            Self::Metric(metric) => metric.to_string(),
            Self::LayerSize => "layer-size".to_owned(),
            Self::Directory(path) => format!("/{path}"),
            Self::Package(pattern) => format!("package {}", pattern.text()),
            Self::Efficiency => "efficiency".to_owned(),
            Self::Dive(DiveFigure::Efficiency) => "lowestEfficiency".to_owned(),
            Self::Dive(DiveFigure::WastedBytes) => "highestWastedBytes".to_owned(),
            Self::Dive(DiveFigure::UserWastedPercent) => "highestUserWastedPercent".to_owned(),
        }
    }

    /// Whether it is a share of one, in millionths.
    pub const fn is_share(&self) -> bool {
        matches!(
            self,
            Self::Efficiency | Self::Dive(DiveFigure::Efficiency | DiveFigure::UserWastedPercent)
        )
    }

    /// A value, for people.
    pub fn shown(&self, value: u64) -> String {
        match self {
            Self::Metric(metric) => metric.shown(value),
            _ if self.is_share() => share(value, 2),
            _ => Bytes(value).to_string(),
        }
    }

    /// The exact value, for people.
    pub fn exact(&self, value: u64) -> String {
        match self {
            Self::Metric(metric) => metric.exact(value),
            _ if self.is_share() => share(value, 4),
            _ => format!("{value} B"),
        }
    }
}

/// Millionths in percent, cut to `decimals`, never rounded; as many as there can be are infinite.
fn share(millionths: u64, decimals: u32) -> String {
    if millionths == u64::MAX {
        return "infinite".to_owned();
    }
    let scale = 10_u64.pow(4 - decimals.min(4));
    let cut = millionths / scale;
    let unit = 10_u64.pow(decimals);
    format!("{}.{:0width$} %", cut / unit, cut % unit, width = decimals as usize)
}

/// A percentage, in thousandths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(pub u64);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 1000, self.0 % 1000);
        if part == 0 {
            return write!(f, "{whole} %");
        }
        write!(f, "{whole}.{} %", format!("{part:03}").trim_end_matches('0'))
    }
}

impl FromStr for Percent {
    type Err = String;

    /// Reads `5`, `2.5`, `10 %`: no more than three decimals.
    fn from_str(text: &str) -> Result<Self, String> {
        let error = || format!("{text:?} is no percentage: expected a number such as 5 or 2.5 %");
        let number = text.trim().trim_end_matches('%').trim_end();
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !is_digits(whole) || !is_digits(part) || part.len() > 3 {
            return Err(error());
        }
        let whole: u64 = whole.parse().map_err(|_| error())?;
        let part: u64 = format!("{part:0<3}").parse().map_err(|_| error())?;
        whole.checked_mul(1000).and_then(|all| all.checked_add(part)).map(Self).ok_or_else(error)
    }
}

/// What is allowed. Equal to a limit is within it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// At most this.
    pub max: Option<u64>,
    /// At least this; of shares only.
    pub min: Option<u64>,
    /// More than this is a warning.
    pub warn: Option<u64>,
    /// At most so much more than the baseline.
    pub max_increase: Option<u64>,
    /// At most so many percent more than the baseline...
    pub max_increase_percent: Option<Percent>,
    /// ... where that is more than so many bytes.
    pub percent_floor: u64,
    /// An increase up to this is none; the metric's own where it is `None`.
    pub tolerance: Option<u64>,
}

/// One budget.
#[derive(Clone, Debug)]
pub struct Budget {
    /// Of which images.
    pub of: Selection,
    /// About what.
    pub subject: Subject,
    /// What is allowed.
    pub limits: Limits,
    /// Where it is written, for those who want to change it: `jettison.toml: [[gate.budget]] 2`.
    pub place: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_exact() {
        for (text, percent) in
            [("5", 5000), ("2.5 %", 2500), ("0.125%", 125), ("100", 100_000), ("0", 0)]
        {
            assert_eq!(text.parse(), Ok(Percent(percent)), "{text}");
        }
        for bad in ["", "%", "a", "-1", "1.2345", "1e3", "99999999999999999999"] {
            assert!(bad.parse::<Percent>().is_err(), "{bad}");
        }
        assert_eq!(Percent(2500).to_string(), "2.5 %");
        assert_eq!(Percent(5000).to_string(), "5 %");
    }

    #[test]
    fn shares_are_cut() {
        assert_eq!(share(949_999, 2), "94.99 %");
        assert_eq!(share(949_999, 4), "94.9999 %");
        assert_eq!(share(1_000_000, 2), "100.00 %");
    }

    #[test]
    fn names_fit_whole() {
        let fits = |pattern: &str, name: &str| NamePattern::new(pattern).unwrap().fits(name);
        assert!(fits("registry.example/app*", "registry.example/app/web:1"));
        assert!(!fits("app", "registry.example/app"));
        assert!(fits("linux/*", "linux/arm/v7"));
        assert!(NamePattern::new("a[").is_err());
    }
}
