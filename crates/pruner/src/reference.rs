//! Who needs which image of the node.

mod field;
pub mod holder;
pub mod keep;
pub mod name;
pub mod pod;
mod spec;
pub mod static_pod;
pub mod template;

use std::collections::{BTreeMap, BTreeSet};

use jettison_oci::escape;

use crate::cluster::{Cluster, Mention, Pod};
use crate::error::{Error, Result};
use crate::inventory::{Image, ImageId, Use};
use holder::Holder;
use keep::KeepRules;
use name::{ImageName, Names};

/// The label on an image that keeps it, whatever its value but `false`.
pub const KEEP_LABEL: &str = "jettison.io/keep";
/// The label by which containerd's pins are made; not every version tells them as pinned.
const PIN_LABEL: &str = "io.cri-containerd.pinned";

/// Everything outside a runtime that names images.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    /// What a Kubernetes cluster says; `None` where none was asked.
    pub cluster: Option<Cluster>,
    /// The pods of manifests that a kubelet reads from a directory.
    pub static_pods: Vec<Pod>,
}

/// Who holds each image. An image that is not in here is held by nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    holders: BTreeMap<ImageId, Vec<Holder>>,
    /// Images that some pod or template wants and may not pull.
    pub never_pulled: BTreeSet<ImageId>,
}

impl References {
    /// Who holds it, the strongest first.
    pub fn of(&self, id: &ImageId) -> &[Holder] {
        self.holders.get(id).map_or(&[], Vec::as_slice)
    }

    /// Whether something uses it or will: a keep rule does not.
    pub fn is_used(&self, id: &ImageId) -> bool {
        self.of(id).iter().any(Holder::is_use)
    }

    /// Reads who holds each of `images`, over the union of its names. Fails where a text names an
    /// image in a form that cannot be understood, because it could mean any.
    pub fn gather(
        images: &[Image],
        used: &Use,
        outside: &Outside,
        keep: &KeepRules,
    ) -> Result<Self> {
        let names = Names::of(images);
        let mut gathered = Gathered { images, names: &names, references: Self::default() };
        gathered.of_runtime(used)?;
        for pod in &outside.static_pods {
            gathered.pod(pod, Holder::static_pod)?;
        }
        if let Some(cluster) = &outside.cluster {
            gathered.of_cluster(cluster)?;
        }
        gathered.of_images(keep);
        let mut references = gathered.references;
        for holders in references.holders.values_mut() {
            holders.sort_unstable();
            holders.dedup();
        }
        Ok(references)
    }
}

struct Gathered<'a> {
    images: &'a [Image],
    names: &'a Names,
    references: References,
}

impl Gathered<'_> {
    fn hold(&mut self, at: usize, holder: Holder) {
        let id = self.images[at].id.clone();
        self.references.holders.entry(id).or_default().push(holder);
    }

    /// The images that `text` means; `whose` says in an error whose text it is.
    fn find(&self, text: &str, whose: impl FnOnce() -> String) -> Result<BTreeSet<usize>> {
        let name = ImageName::parse(text).map_err(|because| {
            Error::Refused(format!(
                "{}: {because}. It could mean any image of the node, so nothing is removed",
                whose()
            ))
        })?;
        Ok(self.names.find(&name))
    }

    fn of_runtime(&mut self, used: &Use) -> Result<()> {
        for container in &used.containers {
            for text in &container.images {
                let whose = || format!("container {}", escape::line(&container.name));
                for at in self.find(text, whose)? {
                    self.hold(at, Holder::container(container));
                }
            }
        }
        for sandbox in &used.sandboxes {
            if let Some(text) = &sandbox.image {
                let whose = || format!("the sandbox of pod {}", escape::line(&sandbox.pod.name));
                for at in self.find(text, whose)? {
                    self.hold(at, Holder::sandbox(sandbox));
                }
            }
        }
        for text in &used.sandbox_images {
            let whose = || "the runtime's configuration of sandboxes".to_owned();
            for at in self.find(text, whose)? {
                self.hold(at, Holder::sandbox_image(text));
            }
        }
        Ok(())
    }

    fn of_cluster(&mut self, cluster: &Cluster) -> Result<()> {
        for pod in &cluster.pods {
            self.pod(pod, Holder::pod)?;
        }
        for pod in &cluster.unscheduled {
            self.pod(pod, Holder::unscheduled)?;
        }
        for template in &cluster.templates {
            for mention in &template.mentions {
                let whose = || {
                    let (kind, field) = (&template.kind, &mention.field);
                    format!("{kind} {}/{}, {field}", template.namespace, template.name)
                };
                self.mention(mention, whose, || Holder::template(template, mention))?;
            }
        }
        Ok(())
    }

    fn pod(&mut self, pod: &Pod, holder: impl Fn(&Pod, &Mention) -> Holder) -> Result<()> {
        for mention in &pod.mentions {
            let whose = || format!("pod {}/{}, {}", pod.namespace, pod.name, mention.field);
            self.mention(mention, whose, || holder(pod, mention))?;
        }
        Ok(())
    }

    fn mention(
        &mut self,
        mention: &Mention,
        whose: impl FnOnce() -> String,
        holder: impl Fn() -> Holder,
    ) -> Result<()> {
        for at in self.find(&mention.image, || escape::line(&whose()))? {
            if mention.never_pulled {
                self.references.never_pulled.insert(self.images[at].id.clone());
            }
            self.hold(at, holder());
        }
        Ok(())
    }

    /// What images say of themselves, and the keep rules.
    fn of_images(&mut self, keep: &KeepRules) {
        let images = self.images;
        for (at, image) in images.iter().enumerate() {
            if image.pinned || image.labels.get(PIN_LABEL).is_some_and(|value| value == "pinned") {
                self.hold(at, Holder::pinned());
            }
            if let Some(value) = image.labels.get(KEEP_LABEL)
                && value != "false"
            {
                self.hold(at, Holder::label(&format!("{KEEP_LABEL}={value}")));
            }
            for child in &image.children {
                self.hold(at, Holder::child(child));
            }
            for (pattern, is_built_in) in keep.matching(image) {
                self.hold(at, Holder::rule(pattern, is_built_in));
            }
        }
        let names = self.names;
        for (at, name) in &names.odd {
            self.hold(*at, Holder::odd_name(name));
        }
    }
}
