//! Pods and containers of a real runtime, made as the kubelet makes them.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context as _;
use jettison_grpc::cri::image_service_client::ImageServiceClient;
use jettison_grpc::cri::runtime_service_client::RuntimeServiceClient;
use jettison_grpc::cri::{
    ContainerConfig, ContainerMetadata, CreateContainerRequest, Image, ImageSpec,
    ImageStatusRequest, LinuxContainerConfig, LinuxContainerSecurityContext, LinuxPodSandboxConfig,
    LinuxSandboxSecurityContext, ListImagesRequest, NamespaceMode, NamespaceOption,
    PodSandboxConfig, PodSandboxMetadata, PullImageRequest, RemoveContainerRequest,
    RemoveImageRequest, RemovePodSandboxRequest, RunPodSandboxRequest, StartContainerRequest,
    StopContainerRequest, StopPodSandboxRequest,
};
use jettison_grpc::socket::{MESSAGE_MAX, dial};
use tokio::runtime::Runtime;
use tonic::transport::Channel;

/// A kubelet's side of a runtime's socket.
#[derive(Debug)]
pub struct Kubelet {
    threads: Runtime,
    channel: Channel,
}

/// A pod that runs.
#[derive(Clone, Debug)]
pub struct Pod {
    /// Its sandbox.
    pub sandbox: String,
    config: PodSandboxConfig,
}

impl Kubelet {
    /// Connects to the socket at `path`.
    pub fn connect(path: &Path) -> anyhow::Result<Self> {
        let threads =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let channel = threads.block_on(dial(path)).context("dialling the runtime")?;
        Ok(Self { threads, channel })
    }

    fn runtime(&self) -> RuntimeServiceClient<Channel> {
        RuntimeServiceClient::new(self.channel.clone())
    }

    fn images_client(&self) -> ImageServiceClient<Channel> {
        ImageServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_MAX)
    }

    /// Makes and starts the sandbox of a pod, in the host's network.
    pub fn run_pod(&self, namespace: &str, name: &str, uid: &str) -> anyhow::Result<Pod> {
        let labels = HashMap::from([
            ("io.kubernetes.pod.name".to_owned(), name.to_owned()),
            ("io.kubernetes.pod.namespace".to_owned(), namespace.to_owned()),
            ("io.kubernetes.pod.uid".to_owned(), uid.to_owned()),
        ]);
        let config = PodSandboxConfig {
            metadata: Some(PodSandboxMetadata {
                name: name.to_owned(),
                uid: uid.to_owned(),
                namespace: namespace.to_owned(),
                attempt: 0,
            }),
            labels,
            linux: Some(LinuxPodSandboxConfig {
                cgroup_parent: String::new(),
                security_context: Some(LinuxSandboxSecurityContext {
                    namespace_options: Some(host_network()),
                }),
            }),
            ..PodSandboxConfig::default()
        };
        let request = RunPodSandboxRequest { config: Some(config.clone()) };
        let run = self.threads.block_on(self.runtime().run_pod_sandbox(request))?;
        Ok(Pod { sandbox: run.into_inner().pod_sandbox_id, config })
    }

    /// Makes a container in a pod, which is not started.
    pub fn create(&self, pod: &Pod, name: &str, image: &str) -> anyhow::Result<String> {
        let labels = HashMap::from([("io.kubernetes.container.name".to_owned(), name.to_owned())])
            .into_iter()
            .chain(pod.config.labels.clone())
            .collect();
        let config = ContainerConfig {
            metadata: Some(ContainerMetadata { name: name.to_owned(), attempt: 0 }),
            image: Some(spec(image)),
            labels,
            linux: Some(LinuxContainerConfig {
                security_context: Some(LinuxContainerSecurityContext {
                    namespace_options: Some(host_network()),
                }),
            }),
            ..ContainerConfig::default()
        };
        let request = CreateContainerRequest {
            pod_sandbox_id: pod.sandbox.clone(),
            config: Some(config),
            sandbox_config: Some(pod.config.clone()),
        };
        let made = self.threads.block_on(self.runtime().create_container(request))?;
        Ok(made.into_inner().container_id)
    }

    /// Starts a container.
    pub fn start(&self, container: &str) -> anyhow::Result<()> {
        let request = StartContainerRequest { container_id: container.to_owned() };
        self.threads.block_on(self.runtime().start_container(request))?;
        Ok(())
    }

    /// Stops a container at once; its record stays.
    pub fn stop(&self, container: &str) -> anyhow::Result<()> {
        let request = StopContainerRequest { container_id: container.to_owned(), timeout: 0 };
        self.threads.block_on(self.runtime().stop_container(request))?;
        Ok(())
    }

    /// Removes a container.
    pub fn remove_container(&self, container: &str) -> anyhow::Result<()> {
        let request = RemoveContainerRequest { container_id: container.to_owned() };
        self.threads.block_on(self.runtime().remove_container(request))?;
        Ok(())
    }

    /// Stops a pod and removes it with its containers.
    pub fn remove_pod(&self, pod: &Pod) -> anyhow::Result<()> {
        let pod_sandbox_id = pod.sandbox.clone();
        let stop = StopPodSandboxRequest { pod_sandbox_id: pod_sandbox_id.clone() };
        self.threads.block_on(self.runtime().stop_pod_sandbox(stop))?;
        let remove = RemovePodSandboxRequest { pod_sandbox_id };
        self.threads.block_on(self.runtime().remove_pod_sandbox(remove))?;
        Ok(())
    }

    /// Pulls an image; gives the ID.
    pub fn pull(&self, image: &str) -> anyhow::Result<String> {
        let request = PullImageRequest { image: Some(spec(image)), sandbox_config: None };
        let pulled = self.threads.block_on(self.images_client().pull_image(request))?;
        Ok(pulled.into_inner().image_ref)
    }

    /// Removes an image.
    pub fn remove_image(&self, image: &str) -> anyhow::Result<()> {
        let request = RemoveImageRequest { image: Some(spec(image)) };
        self.threads.block_on(self.images_client().remove_image(request))?;
        Ok(())
    }

    /// The images.
    pub fn images(&self) -> anyhow::Result<Vec<Image>> {
        let request = ListImagesRequest { filter: None };
        let listed = self.threads.block_on(self.images_client().list_images(request))?;
        Ok(listed.into_inner().images)
    }

    /// Whether the runtime has an image of this name.
    pub fn has(&self, image: &str) -> anyhow::Result<bool> {
        let request = ImageStatusRequest { image: Some(spec(image)), verbose: false };
        let status = self.threads.block_on(self.images_client().image_status(request))?;
        Ok(status.into_inner().image.is_some())
    }
}

fn spec(image: &str) -> ImageSpec {
    ImageSpec { image: image.to_owned(), ..ImageSpec::default() }
}

fn host_network() -> NamespaceOption {
    NamespaceOption { network: NamespaceMode::Node.into(), ..NamespaceOption::default() }
}
