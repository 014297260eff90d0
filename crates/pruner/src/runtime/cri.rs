//! The Container Runtime Interface: containerd, CRI-O, cri-dockerd. Where containerd's own services
//! answer on the same socket, they tell what the interface leaves out.

mod graph;
mod native;
mod verbose;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use jettison_grpc::cri::image_service_client::ImageServiceClient;
use jettison_grpc::cri::runtime_service_client::RuntimeServiceClient;
use jettison_grpc::cri::{
    ContainerState, ContainerStatusRequest, Image as CriImage, ImageFsInfoRequest, ImageSpec,
    ImageStatusRequest, ListContainersRequest, ListImagesRequest, ListPodSandboxRequest,
    PodSandbox, RemoveImageRequest, StatusRequest, VersionRequest,
};
use jettison_grpc::socket::{MESSAGE_MAX, because, cause, dial, in_time, path_of};
use jettison_oci::escape;
use tokio::runtime::Runtime as Threads;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

use super::containers_storage::Store;
use super::{Kind, Removal, Runtime, capacity_at, waiting};
use crate::error::{Error, Result};
use crate::inventory::{
    Capacity, Container, Image, ImageId, Inventory, PodName, Pullable, Sandbox, Use, names,
};
use crate::reclaim::Storage;
use crate::reference::KEEP_LABEL;
use native::Native;
use verbose::ImageInfo;

/// Questions that are asked at the same time.
const QUESTIONS: usize = 16;
/// How often a removal that left a record behind is asked for again.
const REPEATS: usize = 3;
/// Where runtimes listen, as the kubelet is told in most distributions.
pub(super) const SOCKETS: [&str; 4] = [
    "/run/containerd/containerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/cri-dockerd.sock",
];

/// A runtime that serves the interface, connected.
pub struct Cri {
    socket: PathBuf,
    channel: Channel,
    threads: Threads,
    name: String,
    native: Option<Native>,
}

impl Cri {
    /// Connects to the socket at `address`, and asks what listens there.
    pub fn connect(address: &str) -> Result<Self> {
        let socket = path_of(Path::new(address));
        let threads = waiting()?;
        let channel = threads.block_on(dial(&socket)).map_err(|error| {
            let (kind, words) = cause(&error);
            let words = match kind {
                Some(std::io::ErrorKind::NotFound) => "there is no such socket".to_owned(),
                Some(std::io::ErrorKind::ConnectionRefused) => {
                    "nobody listens on the socket: is the runtime down?".to_owned()
                }
                Some(std::io::ErrorKind::PermissionDenied) => {
                    "permission denied: run as root".to_owned()
                }
                _ => words,
            };
            Error::Refused(format!("the runtime at {}: {words}", socket.display()))
        })?;
        let mut cri = Self { socket, channel, threads, name: String::new(), native: None };
        let mut client = RuntimeServiceClient::new(cri.channel.clone());
        let request = VersionRequest { version: String::new() };
        let version = cri.answer("its version", async move { client.version(request).await })?;
        cri.name = format!(
            "{} {}",
            escape::line(&version.runtime_name),
            escape::line(&version.runtime_version)
        );
        cri.native = Native::connect(&cri)?;
        Ok(cri)
    }

    fn answer<T>(
        &self,
        what: &str,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T> {
        let answered = self.threads.block_on(in_time(call)).map(Response::into_inner);
        answered.map_err(|status| self.told(what, &status))
    }

    fn told(&self, what: &str, status: &Status) -> Error {
        let instead = "is the runtime's CRI plugin turned off? Name another socket with --endpoint";
        let because = because(status, "the Container Runtime Interface", instead);
        Error::Refused(format!(
            "the runtime at {}, asked for {what}: {because}",
            self.socket.display()
        ))
    }

    fn images_client(&self) -> ImageServiceClient<Channel> {
        ImageServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_MAX)
    }

    fn runtime_client(&self) -> RuntimeServiceClient<Channel> {
        RuntimeServiceClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_MAX)
    }

    fn list_images(&self) -> Result<Vec<CriImage>> {
        let mut client = self.images_client();
        let request = ListImagesRequest { filter: None };
        let listed = self.answer("its images", async move { client.list_images(request).await })?;
        Ok(listed.images)
    }

    /// An image's status; `None` where it is not there.
    fn status(&self, id: &str) -> Result<Option<CriImage>> {
        let mut client = self.images_client();
        let request = ImageStatusRequest { image: Some(spec(id)), verbose: false };
        let status = self.answer("an image", async move { client.image_status(request).await })?;
        Ok(status.image)
    }

    /// What the runtime tells of each image by itself, in the order of `images`.
    fn infos(&self, images: &[CriImage]) -> Result<Vec<ImageInfo>> {
        let ask = |image: &CriImage| {
            let (mut client, id) = (self.images_client(), image.id.clone());
            async move {
                let request = ImageStatusRequest { image: Some(spec(&id)), verbose: true };
                let status = in_time(client.image_status(request)).await?.into_inner();
                Ok::<_, Status>(ImageInfo::read(&status.info))
            }
        };
        let asked = stream::iter(images.iter().map(ask)).buffered(QUESTIONS).try_collect();
        let answered: Result<Vec<ImageInfo>, Status> = self.threads.block_on(asked);
        answered.map_err(|status| self.told("its images one by one", &status))
    }

    fn containers(&self) -> Result<Vec<Container>> {
        let mut client = self.runtime_client();
        let request = ListContainersRequest { filter: None };
        let listed =
            self.answer("its containers", async move { client.list_containers(request).await })?;
        let mut containers = Vec::with_capacity(listed.containers.len());
        for listed in listed.containers {
            let mut images = Vec::new();
            if let Some(spec) = &listed.image {
                images.extend(texts(spec));
            }
            images.extend([&listed.image_ref, &listed.image_id].map(Clone::clone));
            images.retain(|text| !text.is_empty());
            if images.is_empty() {
                return Err(Error::Refused(format!(
                    "the runtime at {} does not say which image container {} has, so any may be \
                     in use",
                    self.socket.display(),
                    listed.id
                )));
            }
            let state = match listed.state() {
                ContainerState::ContainerCreated => "created",
                ContainerState::ContainerRunning => "running",
                ContainerState::ContainerExited => "exited",
                ContainerState::ContainerUnknown => "unknown",
            };
            containers.push(Container {
                name: listed.metadata.map(|metadata| metadata.name).unwrap_or_default(),
                state: state.to_owned(),
                pod: PodName::of_labels(|key| listed.labels.get(key).map(String::as_str)),
                images,
                id: listed.id,
            });
        }
        self.add_volumes(&mut containers)?;
        Ok(containers)
    }

    /// Adds the images that containers have mounted, which only each one's own status tells.
    fn add_volumes(&self, containers: &mut [Container]) -> Result<()> {
        let ask = |container: &Container| {
            let (mut client, id) = (self.runtime_client(), container.id.clone());
            async move {
                let request = ContainerStatusRequest { container_id: id, verbose: false };
                match in_time(client.container_status(request)).await {
                    Ok(status) => Ok(status.into_inner().status),
                    // It ended while we asked: what it was made from still counts this time.
                    Err(status) if status.code() == Code::NotFound => Ok(None),
                    Err(status) => Err(status),
                }
            }
        };
        let asked = stream::iter(containers.iter().map(ask)).buffered(QUESTIONS).try_collect();
        let statuses: Result<Vec<_>, Status> = self.threads.block_on(asked);
        let statuses =
            statuses.map_err(|status| self.told("its containers one by one", &status))?;
        for (container, status) in containers.iter_mut().zip(statuses) {
            let Some(status) = status else { continue };
            let mounted = status.mounts.iter().filter_map(|mount| mount.image.as_ref());
            let mut more: Vec<String> = mounted.flat_map(texts).collect();
            more.extend(status.image.iter().flat_map(texts));
            more.extend([status.image_ref, status.image_id]);
            more.retain(|text| !text.is_empty() && !container.images.contains(text));
            container.images.extend(more);
        }
        Ok(())
    }

    fn sandboxes(&self) -> Result<Vec<Sandbox>> {
        let mut client = self.runtime_client();
        let request = ListPodSandboxRequest { filter: None };
        let listed =
            self.answer("its sandboxes", async move { client.list_pod_sandbox(request).await })?;
        let sandbox = |listed: PodSandbox| {
            let metadata = listed.metadata.unwrap_or_default();
            Sandbox {
                id: listed.id,
                pod: PodName {
                    namespace: metadata.namespace,
                    name: metadata.name,
                    uid: metadata.uid,
                },
                image: None,
            }
        };
        Ok(listed.items.into_iter().map(sandbox).collect())
    }

    /// What sandboxes are made from, by the runtime's configuration.
    fn sandbox_images(&self) -> Result<Vec<String>> {
        let mut client = self.runtime_client();
        let request = StatusRequest { verbose: true };
        let status = self.answer("its status", async move { client.status(request).await })?;
        Ok(verbose::sandbox_images(&status.info))
    }

    /// The files of CRI-O's store, where they are files of this machine: they tell what the
    /// interface leaves out, containers that are still being made among it.
    fn store(&self) -> Result<Option<Store>> {
        if self.native.is_some() {
            return Ok(None);
        }
        let root = self.image_root()?.and_then(|images| Store::of_images(&images));
        root.map(|root| Store::read(&root)).transpose()
    }

    fn use_of(&self, store: Option<&Store>) -> Result<Use> {
        let mut used = Use {
            containers: self.containers()?,
            sandboxes: self.sandboxes()?,
            sandbox_images: self.sandbox_images()?,
        };
        if let Some(native) = &self.native {
            // containerd's own containers are there from their making to their end, and name the
            // images of sandboxes too.
            let known: HashSet<String> = used.containers.iter().map(|one| one.id.clone()).collect();
            for (id, image) in native.containers(self)? {
                if let Some(sandbox) = used.sandboxes.iter_mut().find(|one| one.id == id) {
                    sandbox.image = Some(image);
                } else if !known.contains(&id) {
                    used.containers.push(Container {
                        name: id.clone(),
                        id,
                        state: "in containerd".to_owned(),
                        images: vec![image],
                        pod: None,
                    });
                }
            }
        }
        if let Some(store) = store {
            store.add_containers(&mut used.containers);
        }
        Ok(used)
    }

    /// Where the images are, by the runtime's word.
    fn image_root(&self) -> Result<Option<PathBuf>> {
        let mut client = self.images_client();
        let info = self.answer("its file system", async move {
            client.image_fs_info(ImageFsInfoRequest {}).await
        });
        let found = info?.image_filesystems.into_iter().find_map(|fs| fs.fs_id);
        let path = found.map(|id| PathBuf::from(id.mountpoint));
        Ok(path.filter(|path| path.is_absolute()))
    }
}

/// An image as the interface lists it.
fn image_of(listed: &CriImage) -> Image {
    let digests = names(&listed.repo_digests);
    Image {
        tags: names(&listed.repo_tags),
        pullable: Pullable::by_digests(&digests),
        digests,
        size: listed.size,
        pinned: listed.pinned,
        ..Image::new(ImageId::new(&listed.id))
    }
}

fn spec(image: &str) -> ImageSpec {
    ImageSpec { image: image.to_owned(), ..ImageSpec::default() }
}

/// The texts by which a specification names its image.
fn texts(spec: &ImageSpec) -> impl Iterator<Item = String> + use<> {
    let texts = [&spec.image, &spec.image_ref, &spec.user_specified_image].map(Clone::clone);
    texts.into_iter().filter(|text| !text.is_empty())
}

impl Runtime for Cri {
    fn kind(&self) -> Kind {
        Kind::Cri
    }

    fn endpoint(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn inventory(&self) -> Result<Inventory> {
        let listed = self.list_images()?;
        let infos = self.infos(&listed)?;
        let graph = self.native.as_ref().map(|native| native.graph(self)).transpose()?;
        let store = self.store()?;
        let mut images = Vec::with_capacity(listed.len());
        for (listed, info) in listed.iter().zip(&infos) {
            let mut image = image_of(listed);
            image.labels = info.labels.clone().unwrap_or_default();
            image.created = info.created;
            if let Some(graph) = &graph {
                image.pulled = graph.pulled(&image);
                image.pinned |= graph.is_pinned(&image);
            }
            if let Some(store) = &store {
                image.pulled = store.pulled(&image.id);
            }
            images.push(image);
        }
        images.sort_by(|a, b| a.id.cmp(&b.id));
        images.dedup_by(|a, b| a.id == b.id);
        let mut warnings = Vec::new();
        if infos.iter().any(|info| info.labels.is_none()) {
            warnings.push(format!(
                "{} does not tell the labels of every image: {KEEP_LABEL} does not count there, \
                 use --keep",
                self.name
            ));
        }
        let used = self.use_of(store.as_ref())?;
        let mut storage = store.map(|store| store.storage()).unwrap_or_default();
        if let Some(graph) = &graph {
            storage = graph.storage(&images);
            warnings.extend(graph::warnings(&images));
        }
        Ok(Inventory { images, used, storage, capacity: self.capacity(), warnings })
    }

    fn used(&self) -> Result<Use> {
        self.use_of(self.store()?.as_ref())
    }

    fn image(&self, id: &ImageId) -> Result<Option<Image>> {
        let status = match self.status(id.as_str())? {
            Some(status) => Some(status),
            // CRI-O files images under bare digits.
            None if id.as_str() != id.hex() => self.status(id.hex())?,
            None => None,
        };
        Ok(status.map(|status| image_of(&status)))
    }

    fn storage(&self) -> Result<Storage> {
        let Some(native) = &self.native else {
            let store = self.store()?;
            return Ok(store.map(|store| store.storage()).unwrap_or_default());
        };
        let listed = self.list_images()?;
        let images: Vec<Image> = listed.iter().map(image_of).collect();
        Ok(native.graph(self)?.storage(&images))
    }

    fn capacity(&self) -> Option<Capacity> {
        capacity_at(&self.image_root().ok()??)
    }

    fn remove(&self, image: &Image) -> Removal {
        for _ in 0..REPEATS {
            let mut client = self.images_client();
            let request = RemoveImageRequest { image: Some(spec(image.id.as_str())) };
            let removed = self.threads.block_on(in_time(client.remove_image(request)));
            match removed {
                Ok(_) => {}
                // What is gone already is what was wanted.
                Err(status) if status.code() == Code::NotFound => {}
                Err(status) => {
                    let words = escape::line(status.message());
                    // CRI-O refuses what is in use; containerd never does.
                    return if words.contains("in use") || words.contains("used by") {
                        Removal::Refused(words)
                    } else {
                        Removal::Failed(self.told("its removal", &status).to_string())
                    };
                }
            }
            match self.left(image) {
                Ok(Left::Nothing) => return Removal::Gone,
                // Whoever gave it a name again since wants it.
                Ok(Left::Named) if self.native.is_some() => return Removal::Gone,
                Ok(Left::Named) => {
                    let because = "it is still there after its removal, or there again";
                    return Removal::Failed(because.to_owned());
                }
                Ok(Left::Record) => {}
                Err(error) => return Removal::Failed(error.to_string()),
            }
        }
        Removal::Failed("the record of its ID is still there after its removal".to_owned())
    }
}

/// What is left of an image after its removal.
enum Left {
    Nothing,
    /// An image with a name.
    Named,
    /// Only the record of its ID, which an interrupted removal leaves, and which keeps everything.
    Record,
}

impl Cri {
    fn left(&self, image: &Image) -> Result<Left> {
        if let Some(native) = &self.native {
            let names = native.names_left(self, image)?;
            let is_id = |name: &String| name == image.id.as_str();
            return Ok(match names.as_slice() {
                [] => Left::Nothing,
                names if names.iter().all(is_id) => Left::Record,
                _ => Left::Named,
            });
        }
        Ok(if self.image(&image.id)?.is_some() { Left::Named } else { Left::Nothing })
    }
}
