//! Texts that name images, and which images of a node they can mean.
//!
//! One image has many names: `nginx` is `docker.io/library/nginx:latest`, a digest or an ID in
//! several spellings, with a scheme in front. A text may well mean more images than it should here,
//! never fewer: it keeps what it names.

use std::collections::{BTreeSet, HashMap};

use jettison_oci::{Digest, Reference, escape};

use crate::inventory::Image;

/// The shortest part of an ID that Docker takes for it and shows: 12 digits.
const SHORT_ID: usize = 12;

/// A text that names an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageName {
    /// The hex digits of an ID or its beginning.
    id: Option<String>,
    /// A digest of an image, a manifest or an index.
    digest: Option<Digest>,
    /// A normalised name with a tag.
    tagged: Option<String>,
}

impl ImageName {
    /// Reads a text in any of the forms that runtimes and Kubernetes write. The error is a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        // "docker-pullable://nginx@sha256:...", "containerd://sha256:...": what runtimes put in front.
        let plain = match text.split_once("://") {
            Some((scheme, rest)) if scheme.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') => {
                rest
            }
            _ => text,
        };
        let is_hex = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        };
        let is_long = plain.len() == 64 && is_hex(plain);
        let prefixed = if is_long { format!("sha256:{plain}") } else { plain.to_owned() };
        let digest: Option<Digest> = prefixed.parse().ok();
        let short = plain.strip_prefix("sha256:").unwrap_or(plain);
        let is_short = (SHORT_ID..64).contains(&short.len()) && is_hex(short);
        let id = match &digest {
            Some(digest) => Some(digest.hex().to_owned()),
            None => is_short.then(|| short.to_owned()),
        };
        // What looks like an ID may be a name as well (`sha256` is a fine name, with a tag): it means
        // both.
        match plain.parse::<Reference>() {
            Ok(reference) => {
                let tagged = reference.tag().map(|tag| format!("{}:{tag}", reference.name()));
                Ok(Self { id, digest: digest.or_else(|| reference.digest().cloned()), tagged })
            }
            Err(_) if id.is_some() => Ok(Self { id, digest, tagged: None }),
            Err(error) => Err(format!(
                "{:?} names no image that can be understood: {error}",
                escape::line(text)
            )),
        }
    }
}

/// The names that the images of a node have.
#[derive(Debug, Default)]
pub struct Names {
    tagged: HashMap<String, Vec<usize>>,
    digests: HashMap<Digest, Vec<usize>>,
    /// Hex digits of IDs, sorted.
    ids: Vec<(String, usize)>,
    /// Images one of whose own names cannot be understood, with that name.
    pub odd: Vec<(usize, String)>,
}

impl Names {
    /// The names of `images`, each meaning its place in the slice.
    pub fn of(images: &[Image]) -> Self {
        let mut names = Self::default();
        for (at, image) in images.iter().enumerate() {
            names.ids.push((image.id.hex().to_owned(), at));
            if let Ok(digest) = image.id.as_str().parse() {
                names.digests.entry(digest).or_default().push(at);
            }
            for text in image.names() {
                match ImageName::parse(text) {
                    Ok(name) => {
                        if let Some(tagged) = name.tagged {
                            names.tagged.entry(tagged).or_default().push(at);
                        }
                        if let Some(digest) = name.digest {
                            names.digests.entry(digest).or_default().push(at);
                        }
                    }
                    Err(_) => names.odd.push((at, text.to_owned())),
                }
            }
        }
        names.ids.sort_unstable();
        names
    }

    /// Every image that `name` can mean. A digest is looked for whatever name stands before it, and
    /// a tag beside a digest counts as well: tags move.
    pub fn find(&self, name: &ImageName) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        if let Some(tagged) = &name.tagged {
            found.extend(self.tagged.get(tagged).into_iter().flatten());
        }
        if let Some(digest) = &name.digest {
            found.extend(self.digests.get(digest).into_iter().flatten());
        }
        if let Some(id) = &name.id {
            let from = self.ids.partition_point(|(hex, _)| hex < id);
            let with = self.ids[from..].iter().take_while(|(hex, _)| hex.starts_with(id));
            found.extend(with.map(|(_, at)| *at));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::ImageId;

    const HEX: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    const OTHER: &str = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752";

    fn image(id: &str, tags: &[&str], digests: &[&str]) -> Image {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Image { tags: texts(tags), digests: texts(digests), ..Image::new(ImageId::new(id)) }
    }

    #[test]
    fn any_form_of_a_name_means_any_other() {
        let digest = format!("docker.io/library/nginx@sha256:{OTHER}");
        let nginx = image(HEX, &["nginx:latest"], &[digest.as_str()]);
        let other = image(&"1".repeat(64), &["registry.example:5000/team/app:v1"], &[]);
        let names = Names::of(&[nginx, other]);
        let find = |text: &str| {
            let found = names.find(&ImageName::parse(text).unwrap());
            found.into_iter().collect::<Vec<_>>()
        };
        for text in [
            "nginx".to_owned(),
            "nginx:latest".to_owned(),
            "docker.io/nginx".to_owned(),
            "index.docker.io/library/nginx:latest".to_owned(),
            format!("nginx@sha256:{OTHER}"),
            format!("nginx:1.25@sha256:{OTHER}"),
            // The same blob under another name is the same image.
            format!("mirror.example/nginx@sha256:{OTHER}"),
            format!("sha256:{OTHER}"),
            format!("sha256:{HEX}"),
            HEX.to_owned(),
            HEX[..12].to_owned(),
            format!("sha256:{}", &HEX[..20]),
            format!("docker-pullable://nginx@sha256:{OTHER}"),
            format!("docker://sha256:{HEX}"),
            format!("containerd://{HEX}"),
            // The tag beside a digest that is not here.
            format!("nginx:latest@sha256:{}", "2".repeat(64)),
        ] {
            assert_eq!(find(&text), [0], "{text}");
        }
        assert_eq!(find("registry.example:5000/team/app:v1"), [1]);
        for text in ["nginx:1.25", "team/app:v1", "registry.example/team/app:v1", &HEX[1..14]] {
            assert_eq!(find(text), [0_usize; 0], "{text}");
        }
    }

    #[test]
    fn a_name_of_hex_digits_means_both() {
        let by_id = image(HEX, &[], &[]);
        let by_name = image(OTHER, &["9f86d081884c:latest"], &[]);
        let names = Names::of(&[by_id, by_name]);
        let found = names.find(&ImageName::parse("9f86d081884c").unwrap());
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [0, 1]);
        // `sha256` is a name that an image may have, and this its tag.
        let odd = format!("sha256:{}", &HEX[..16]);
        let images = [image(HEX, &[], &[]), image(OTHER, &[odd.as_str()], &[])];
        let found = Names::of(&images).find(&ImageName::parse(&odd).unwrap());
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn what_cannot_be_understood_is_told() {
        for text in ["", "Nginx Latest", "a//b", "nginx@sha256:12", "http://[", "<none>:<none>"] {
            let error = ImageName::parse(text).unwrap_err();
            assert!(error.contains("names no image"), "{error}");
        }
        let names = Names::of(&[image(HEX, &["<none>@<none>"], &[])]);
        assert_eq!(names.odd, [(0, "<none>@<none>".to_owned())]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_told(text in "\\PC{0,90}") {
            let _ = ImageName::parse(&text);
        }
    }
}
