//! `os/arch[/variant]`, in the names of the Go toolchain, as the OCI image index uses them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::escape;

/// An operating system and processor that an image is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Platform {
    /// `GOOS`: `linux`, `windows`, …
    pub os: String,
    /// `GOARCH`: `amd64`, `arm64`, …
    pub architecture: String,
    /// The processor's variant, `v7` of `arm/v7`. `arm64/v8` is normalised to no variant.
    pub variant: Option<String>,
}

/// Why a text is not a platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a platform: expected os/arch or os/arch/variant, such as linux/arm64")]
pub struct PlatformError(String);

impl Platform {
    /// A platform from its parts, with the architecture's other names folded into Go's
    /// (`x86_64` is `amd64`, `aarch64` is `arm64`), as containerd's platforms package does.
    pub fn new(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        let architecture = architecture.to_ascii_lowercase();
        let variant = variant.map(str::to_ascii_lowercase).filter(|v| !v.is_empty());
        let (architecture, variant) = match (architecture.as_str(), variant) {
            ("x86_64" | "x86-64" | "amd64", v) => ("amd64".to_owned(), v.filter(|v| v != "v1")),
            ("i386" | "i486" | "i586" | "i686" | "x86", _) => ("386".to_owned(), None),
            ("aarch64" | "arm64", v) => ("arm64".to_owned(), v.filter(|v| v != "v8" && v != "8")),
            ("armhf", _) | ("arm", None) => ("arm".to_owned(), Some("v7".to_owned())),
            ("armel", _) => ("arm".to_owned(), Some("v6".to_owned())),
            ("arm", Some(v)) if !v.starts_with('v') => ("arm".to_owned(), Some(format!("v{v}"))),
            (_, v) => (architecture, v),
        };
        Self { os: os.to_ascii_lowercase(), architecture, variant }
    }

    /// The platform this program was built for, with `linux` as its system: images of another
    /// system are looked at far less often than from another system.
    pub fn host() -> Self {
        Self::new("linux", std::env::consts::ARCH, None)
    }

    /// How well an image for `image` serves a request for `self`: `None` not at all, else lower
    /// is better. An `arm/v7` host also runs `v6` and `v5`; `amd64/v3` also `v2` and `v1`.
    pub fn fit(&self, image: &Self) -> Option<u32> {
        if self.os != image.os || self.architecture != image.architecture {
            return None;
        }
        if self.variant == image.variant {
            return Some(0);
        }
        let level = |platform: &Self| match (&*platform.architecture, platform.variant.as_deref()) {
            ("amd64", None) => Some(1),
            ("arm64", None) => Some(8),
            (_, variant) => variant?.strip_prefix('v')?.parse::<u32>().ok(),
        };
        match (level(self), level(image)) {
            (Some(host), Some(image)) if image <= host => Some(host - image),
            _ => None,
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An image's config may hold anything here.
        write!(f, "{}/{}", escape::line(&self.os), escape::line(&self.architecture))?;
        match &self.variant {
            Some(variant) => write!(f, "/{}", escape::line(variant)),
            None => Ok(()),
        }
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let parts: Vec<&str> = text.split('/').collect();
        let is_name = |part: &&str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        };
        match parts.as_slice() {
            parts if !parts.iter().all(is_name) => Err(PlatformError(text.to_owned())),
            [os, architecture] => Ok(Self::new(os, architecture, None)),
            [os, architecture, variant] => Ok(Self::new(os, architecture, Some(variant))),
            _ => Err(PlatformError(text.to_owned())),
        }
    }
}

impl From<Platform> for String {
    fn from(platform: Platform) -> Self {
        platform.to_string()
    }
}

impl TryFrom<String> for Platform {
    type Error = PlatformError;

    fn try_from(text: String) -> Result<Self, PlatformError> {
        text.parse()
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Platform {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Platform".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "os/arch[/variant]" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        text.parse().unwrap()
    }

    #[test]
    fn normalises_other_names() {
        assert_eq!(platform("linux/x86_64").to_string(), "linux/amd64");
        assert_eq!(platform("linux/aarch64/v8").to_string(), "linux/arm64");
        assert_eq!(platform("Linux/arm").to_string(), "linux/arm/v7");
        for bad in ["", "linux", "linux/", "/amd64", "a/b/c/d", "linux/am d64"] {
            assert!(bad.parse::<Platform>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_host_runs_its_own_and_older_variants() {
        assert_eq!(platform("linux/arm/v7").fit(&platform("linux/arm/v7")), Some(0));
        assert_eq!(platform("linux/arm/v7").fit(&platform("linux/arm/v6")), Some(1));
        assert_eq!(platform("linux/arm/v6").fit(&platform("linux/arm/v7")), None);
        assert_eq!(platform("linux/amd64").fit(&platform("linux/amd64/v3")), None);
        assert_eq!(platform("linux/amd64/v3").fit(&platform("linux/amd64")), Some(2));
        assert_eq!(platform("linux/amd64").fit(&platform("windows/amd64")), None);
    }
}
