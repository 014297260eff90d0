//! What holds an image.

use jettison_oci::escape;
use schemars::JsonSchema;
use serde::Serialize;

use crate::cluster::{Mention, Pod, Template};
use crate::inventory::{Container, Sandbox};

/// The kinds of holders, the strongest first. Their words are a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A container, whatever its state.
    Container,
    /// A pod's sandbox.
    Sandbox,
    /// What the runtime makes sandboxes from.
    SandboxImage,
    /// The runtime says that it must stay.
    Pinned,
    /// A pod of this node, by the API's word.
    Pod,
    /// A pod of a manifest that the kubelet reads.
    StaticPod,
    /// A pod that no node has yet.
    UnscheduledPod,
    /// A workload that will make pods.
    Template,
    /// An image that was built on it here.
    Child,
    /// A keep rule of the user.
    KeepRule,
    /// A label of the image.
    KeepLabel,
    /// A keep rule that jettison brings.
    BuiltIn,
    /// One of its names cannot be understood.
    OddName,
}

impl Kind {
    /// All of them, the strongest first.
    pub const ALL: [Self; 13] = [
        Self::Container,
        Self::Sandbox,
        Self::SandboxImage,
        Self::Pinned,
        Self::Pod,
        Self::StaticPod,
        Self::UnscheduledPod,
        Self::Template,
        Self::Child,
        Self::KeepRule,
        Self::KeepLabel,
        Self::BuiltIn,
        Self::OddName,
    ];

    /// The word of the contract.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Sandbox => "sandbox",
            Self::SandboxImage => "sandbox-image",
            Self::Pinned => "pinned",
            Self::Pod => "pod",
            Self::StaticPod => "static-pod",
            Self::UnscheduledPod => "unscheduled-pod",
            Self::Template => "template",
            Self::Child => "child",
            Self::KeepRule => "keep-rule",
            Self::KeepLabel => "keep-label",
            Self::BuiltIn => "built-in",
            Self::OddName => "odd-name",
        }
    }
}

/// One holder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Holder {
    /// What it is.
    pub kind: Kind,
    /// Its name: a container's, `namespace/name` of a pod, `Kind namespace/name` of a workload, a
    /// pattern.
    pub name: String,
    /// More of it: a container's state and pod, the field of a pod that names the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Holder {
    fn new(kind: Kind, name: &str, detail: Option<&str>) -> Self {
        Self { kind, name: escape::line(name), detail: detail.map(escape::line) }
    }

    /// A container.
    pub fn container(container: &Container) -> Self {
        let mut detail = container.state.clone();
        if let Some(pod) = &container.pod {
            detail = format!("{detail}, pod {}/{}", pod.namespace, pod.name);
        }
        let name = if container.name.is_empty() { &container.id } else { &container.name };
        Self::new(Kind::Container, name, Some(&detail))
    }

    /// A sandbox.
    pub fn sandbox(sandbox: &Sandbox) -> Self {
        let pod = format!("{}/{}", sandbox.pod.namespace, sandbox.pod.name);
        Self::new(Kind::Sandbox, &pod, None)
    }

    /// The runtime's configuration.
    pub fn sandbox_image(text: &str) -> Self {
        Self::new(Kind::SandboxImage, text, None)
    }

    /// The runtime's pin.
    pub fn pinned() -> Self {
        Self::new(Kind::Pinned, "the runtime", None)
    }

    fn of_pod(kind: Kind, pod: &Pod, mention: &Mention) -> Self {
        Self::new(kind, &format!("{}/{}", pod.namespace, pod.name), Some(&mention.field))
    }

    /// A pod of this node.
    pub fn pod(pod: &Pod, mention: &Mention) -> Self {
        Self::of_pod(Kind::Pod, pod, mention)
    }

    /// A pod of a manifest.
    pub fn static_pod(pod: &Pod, mention: &Mention) -> Self {
        Self::of_pod(Kind::StaticPod, pod, mention)
    }

    /// A pod without a node.
    pub fn unscheduled(pod: &Pod, mention: &Mention) -> Self {
        Self::of_pod(Kind::UnscheduledPod, pod, mention)
    }

    /// A workload.
    pub fn template(template: &Template, mention: &Mention) -> Self {
        let name = format!("{} {}/{}", template.kind, template.namespace, template.name);
        Self::new(Kind::Template, &name, Some(&mention.field))
    }

    /// An image that was built on it.
    pub fn child(name: &str) -> Self {
        Self::new(Kind::Child, name, None)
    }

    /// A label of the image.
    pub fn label(label: &str) -> Self {
        Self::new(Kind::KeepLabel, label, None)
    }

    /// A keep rule.
    pub fn rule(pattern: &str, is_built_in: bool) -> Self {
        let kind = if is_built_in { Kind::BuiltIn } else { Kind::KeepRule };
        Self::new(kind, pattern, None)
    }

    /// A name that cannot be understood.
    pub fn odd_name(name: &str) -> Self {
        Self::new(Kind::OddName, name, None)
    }

    /// Whether it uses the image or will, so that its age starts again.
    pub fn is_use(&self) -> bool {
        matches!(
            self.kind,
            Kind::Container
                | Kind::Sandbox
                | Kind::SandboxImage
                | Kind::Pod
                | Kind::StaticPod
                | Kind::UnscheduledPod
                | Kind::Template
        )
    }

    /// The holder in a sentence: `container web (running)`.
    pub fn sentence(&self) -> String {
        let name = &self.name;
        let detail = self.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
        match self.kind {
            Kind::Container => format!("container {name}{detail}"),
            Kind::Sandbox => format!("the sandbox of pod {name}"),
            Kind::SandboxImage => format!("the runtime makes sandboxes from {name}"),
            Kind::Pinned => "pinned in the runtime".to_owned(),
            Kind::Pod => format!("pod {name}{detail}"),
            Kind::StaticPod => format!("static pod {name}{detail}"),
            Kind::UnscheduledPod => format!("pod {name}, waiting for a node{detail}"),
            Kind::Template => format!("{name}{detail}"),
            Kind::Child => format!("image {name} is built on it"),
            Kind::KeepRule => format!("keep rule {name}"),
            Kind::KeepLabel => format!("label {name}"),
            Kind::BuiltIn => format!("built-in keep rule {name}"),
            Kind::OddName => format!("its name {name:?} cannot be understood"),
        }
    }
}
