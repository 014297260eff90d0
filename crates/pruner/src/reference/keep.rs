//! Rules that keep images by their names.

use globset::{GlobBuilder, GlobMatcher};
use jettison_oci::{Reference, escape};

use crate::error::{Error, Result};
use crate::inventory::Image;

/// What no node can do without, whatever the runtime pins: sandboxes, and the agents that pods need
/// before they can start; and jettison itself.
pub const BUILT_IN: [&str; 24] = [
    "**/pause",
    "**/pause-*",
    "**/*-pause",
    "**/kube-proxy*",
    "**/calico/*",
    "**/tigera/*",
    "**/cilium/*",
    "**/flannel*",
    "**/flannel/*",
    "**/*-cni",
    "**/*-cni-*",
    "**/cni-*",
    "**/kindnetd",
    "**/multus-cni",
    "**/antrea/*",
    "**/weave-*",
    "**/kube-router",
    "**/kube-ovn*",
    "**/*csi*",
    "**/*csi*/*",
    "**/livenessprobe",
    "**/longhornio/*",
    "**/jettison",
    "**/jettison-*",
];

/// One rule.
#[derive(Clone, Debug)]
struct Rule {
    pattern: String,
    matches: Vec<GlobMatcher>,
    /// Whether it says which tag.
    with_tag: bool,
    is_built_in: bool,
}

/// All rules that keep images by name.
#[derive(Clone, Debug, Default)]
pub struct KeepRules {
    rules: Vec<Rule>,
    /// Beginnings of IDs, `sha256:` in front.
    ids: Vec<String>,
}

impl KeepRules {
    /// The user's patterns, and those of [`BUILT_IN`] where they are wanted.
    ///
    /// A pattern is a reference with `*` (any part of a component), `**` (any components), `?`,
    /// `[...]` and `{a,b}`, with or without a tag. It is normalised as references are: `nginx*`
    /// means `docker.io/library/nginx*`, `team/*` means `docker.io/team/*`. `sha256:` and at least
    /// six digits is the beginning of an image's ID.
    pub fn new(patterns: &[String], with_built_in: bool) -> Result<Self> {
        let mut rules = Self::default();
        for pattern in patterns {
            if let Some(hex) = pattern.strip_prefix("sha256:") {
                let is_hex = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
                if !is_hex || !(6..=64).contains(&hex.len()) {
                    return Err(usage(pattern, "sha256: is followed by 6 to 64 hex digits"));
                }
                rules.ids.push(pattern.to_ascii_lowercase());
                continue;
            }
            rules.rules.push(rule(pattern, false)?);
        }
        for pattern in with_built_in.then_some(BUILT_IN).into_iter().flatten() {
            rules.rules.push(rule(pattern, true)?);
        }
        Ok(rules)
    }

    /// The rules that keep this image, and whether each is built in.
    pub fn matching<'a>(&'a self, image: &'a Image) -> impl Iterator<Item = (&'a str, bool)> {
        let names: Vec<Reference> = image.names().filter_map(|name| name.parse().ok()).collect();
        let ids = self.ids.iter().filter(|id| image.id.as_str().starts_with(id.as_str()));
        let rules = self.rules.iter().filter(move |rule| {
            names.iter().any(|name| {
                let text = if rule.with_tag { name.to_string() } else { name.name() };
                rule.matches.iter().any(|glob| glob.is_match(&text))
            })
        });
        let rules = rules.map(|rule| (rule.pattern.as_str(), rule.is_built_in));
        ids.map(|id| (id.as_str(), false)).chain(rules)
    }
}

fn usage(pattern: &str, because: &str) -> Error {
    Error::Usage(format!("the keep pattern {:?} is no good: {because}", escape::line(pattern)))
}

fn rule(pattern: &str, is_built_in: bool) -> Result<Rule> {
    if pattern.trim().is_empty() {
        return Err(usage(pattern, "it is empty"));
    }
    let (name, rest) = split(pattern);
    let forms = match name.split_once('/') {
        // One component is a name in Docker Hub's library.
        None if name.starts_with("**") => vec![name.to_owned()],
        None => vec![format!("docker.io/library/{name}")],
        Some((first, path)) => {
            let first = if first == "index.docker.io" { "docker.io" } else { first };
            if first == "docker.io" && !path.contains('/') {
                vec![format!("docker.io/library/{path}"), format!("docker.io/{path}")]
            } else if first == "localhost" || first.contains(['.', ':']) || first == "**" {
                vec![format!("{first}/{path}")]
            } else {
                // A first component without a dot is Docker Hub's; with a wildcard it may be both.
                let hub = format!("docker.io/{name}");
                if first.contains(['*', '?', '[', '{']) {
                    vec![name.to_owned(), hub]
                } else {
                    vec![hub]
                }
            }
        }
    };
    let compile = |form: String| {
        let text = format!("{form}{rest}");
        let glob = GlobBuilder::new(&text).literal_separator(true).backslash_escape(true).build();
        glob.map(|glob| glob.compile_matcher())
            .map_err(|error| usage(pattern, &error.kind().to_string()))
    };
    Ok(Rule {
        pattern: pattern.to_owned(),
        matches: forms.into_iter().map(compile).collect::<Result<_>>()?,
        with_tag: !rest.is_empty(),
        is_built_in,
    })
}

/// The name of a pattern, and its `:tag` or `@digest`.
fn split(pattern: &str) -> (&str, &str) {
    if let Some(at) = pattern.find('@') {
        return pattern.split_at(at);
    }
    let last = pattern.rfind('/').map_or(0, |at| at + 1);
    match pattern[last..].rfind(':') {
        Some(at) => pattern.split_at(last + at),
        None => (pattern, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::ImageId;

    fn image(names: &[&str]) -> Image {
        Image {
            tags: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Image::new(ImageId::new(&"ab".repeat(32)))
        }
    }

    fn keeps(pattern: &str, name: &str) -> bool {
        let rules = KeepRules::new(&[pattern.to_owned()], false).unwrap();
        rules.matching(&image(&[name])).next().is_some()
    }

    #[test]
    fn patterns_are_normalised_as_references_are() {
        for (pattern, name, kept) in [
            ("nginx", "docker.io/library/nginx:1.25", true),
            ("nginx*", "nginx-unit:1", true),
            ("nginx", "team/nginx", false),
            ("nginx:1.*", "nginx:1.25", true),
            ("nginx:1.*", "nginx:2", false),
            ("kept/*", "docker.io/kept/app:3", true),
            ("kept/*", "registry.example/kept/app", false),
            ("kept/*", "kept/a/b", false),
            ("kept/**", "kept/a/b", true),
            ("docker.io/nginx", "nginx", true),
            ("registry.example/base/*", "registry.example/base/java:21", true),
            ("registry.example:5000/base/*:21", "registry.example:5000/base/java:21", true),
            ("registry.example:5000/base/*:21", "registry.example:5000/base/java:17", false),
            ("*/app", "registry.example/app:1", true),
            ("*/app", "team/app:1", true),
            ("**/app", "registry.example/a/b/app:1", true),
            ("{a,b}/app", "b/app", true),
            ("sha256:ababab", "anything", true),
            ("sha256:abcdef", "anything", false),
        ] {
            assert_eq!(keeps(pattern, name), kept, "{pattern} {name}");
        }
        for bad in ["", " ", "[", "sha256:xyz", "sha256:ab", "{a"] {
            assert!(KeepRules::new(&[bad.to_owned()], false).unwrap_err().is_usage(), "{bad}");
        }
    }

    #[test]
    fn one_name_of_several_is_enough() {
        let rules = KeepRules::new(&["kept/x".to_owned()], false).unwrap();
        assert!(rules.matching(&image(&["trash/y:1", "kept/x:1"])).next().is_some());
    }

    #[test]
    fn what_a_node_cannot_do_without_is_built_in() {
        let rules = KeepRules::new(&[], true).unwrap();
        for name in [
            "registry.k8s.io/pause:3.9",
            "localhost/kubernetes/pause:0.1.0",
            "602401143452.dkr.ecr.us-west-2.amazonaws.com/eks/pause:3.5",
            "rancher/mirrored-pause:3.6",
            "registry.k8s.io/kube-proxy:v1.30.0",
            "docker.io/calico/node:v3.27",
            "quay.io/cilium/cilium:v1.15",
            "602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon-k8s-cni:v1.18",
            "registry.k8s.io/sig-storage/csi-node-driver-registrar:v2.10",
            "public.ecr.aws/ebs-csi-driver/aws-ebs-csi-driver:v1.30",
            "registry.example/tools/jettison:1.0",
        ] {
            let image = image(&[name]);
            assert!(rules.matching(&image).any(|(_, is_built_in)| is_built_in), "{name}");
        }
        for name in
            ["nginx:1.25", "registry.example/team/app:1", "registry.example/docs/menopause-faq:1"]
        {
            assert!(rules.matching(&image(&[name])).next().is_none(), "{name}");
        }
    }
}
