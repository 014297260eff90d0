//! Docker's engine, and podman's Docker-compatible service.

mod layers;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use bollard::Docker;
use bollard::errors::Error as ApiError;
use bollard::models::{ContainerSummary, ImageInspect, ImageSummary};
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, TagImageOptionsBuilder,
};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use jettison_engine::{Endpoint, failed, is_reference};
use jettison_oci::{Reference, escape};
use jiff::Timestamp;
use tokio::runtime::Runtime as Threads;

use super::containers_storage::Store;
use super::{Kind, Removal, Runtime, capacity_at, waiting};
use crate::error::{Error, Result};
use crate::inventory::{
    Capacity, Container, Image, ImageId, Inventory, PodName, Pullable, Use, names,
};
use crate::reclaim::Storage;

/// Questions that are asked at the same time.
const QUESTIONS: usize = 8;

/// An engine, connected.
pub struct Engine {
    client: Docker,
    endpoint: Endpoint,
    threads: Threads,
    kind: Kind,
    version: String,
    driver: String,
    /// Whether images are in containerd's store, whose sizes and IDs are others.
    is_containerd_store: bool,
    /// Where the engine's files are, if they are files of this machine.
    root: Option<PathBuf>,
}

impl Engine {
    /// Connects, and asks what it is.
    pub fn connect(endpoint: &Endpoint) -> Result<Self> {
        let threads = waiting()?;
        // A connection is opened on the threads that will use it.
        let client = {
            let _inside = threads.enter();
            endpoint.connect()?
        };
        let told = |what: &str, error: &ApiError| -> Error {
            failed(&endpoint.engine(), what, error).into()
        };
        let version =
            threads.block_on(client.version()).map_err(|error| told("its version", &error))?;
        let info = threads.block_on(client.info()).map_err(|error| told("what it is", &error))?;
        let components = version.components.unwrap_or_default();
        let is_podman = components.iter().any(|component| component.name.starts_with("Podman"));
        let status = info.driver_status.unwrap_or_default().into_iter().flatten();
        let is_containerd_store =
            status.into_iter().any(|word| word.starts_with("io.containerd.snapshotter"));
        let root = info.docker_root_dir.filter(|root| root.starts_with('/')).map(PathBuf::from);
        Ok(Self {
            client,
            endpoint: endpoint.clone(),
            threads,
            kind: if is_podman { Kind::Podman } else { Kind::Docker },
            version: version.version.unwrap_or_default(),
            driver: info.driver.unwrap_or_default(),
            is_containerd_store,
            root: root.filter(|root| endpoint.is_local() && root.is_dir()),
        })
    }

    fn told(&self, what: &str, error: &ApiError) -> Error {
        failed(&self.endpoint.engine(), what, error).into()
    }

    /// The images. Those without a name that only other images are built on are not among them:
    /// the engine removes them with the last of those.
    fn summaries(&self) -> Result<Vec<ImageSummary>> {
        self.list(false)
    }

    fn list(&self, all: bool) -> Result<Vec<ImageSummary>> {
        let options = ListImagesOptionsBuilder::default().all(all).build();
        let listed = self.threads.block_on(self.client.list_images(Some(options)));
        listed.map_err(|error| self.told("its images", &error))
    }

    /// For each image that others were built on, the names of those. Docker's first builder keeps
    /// that, over images without a name.
    fn children(&self, summaries: &[ImageSummary]) -> Result<HashMap<ImageId, Vec<String>>> {
        if summaries.iter().all(|image| image.parent_id.is_empty()) {
            return Ok(HashMap::new());
        }
        let all = self.list(true)?;
        let parents: HashMap<&str, &str> =
            all.iter().map(|image| (image.id.as_str(), image.parent_id.as_str())).collect();
        let mut children: HashMap<ImageId, Vec<String>> = HashMap::new();
        for summary in summaries {
            let child = named(summary);
            let mut next = parents.get(summary.id.as_str()).copied().unwrap_or_default();
            // As many steps as there are images, however they point at each other.
            for _ in 0..all.len() {
                if next.is_empty() {
                    break;
                }
                let names = children.entry(ImageId::new(next)).or_default();
                names.push(child.name().to_owned());
                next = parents.get(next).copied().unwrap_or_default();
            }
        }
        Ok(children)
    }

    /// What the engine tells of each image by itself.
    fn inspect(&self, images: &[ImageSummary]) -> Result<Vec<ImageInspect>> {
        let ask = |image: &ImageSummary| {
            let (client, id) = (self.client.clone(), image.id.clone());
            async move { client.inspect_image(&id).await.map_err(|error| (id, error)) }
        };
        let asked = stream::iter(images.iter().map(ask)).buffered(QUESTIONS).try_collect();
        let answered: Result<Vec<ImageInspect>, _> = self.threads.block_on(asked);
        answered.map_err(|(id, error)| self.told(&format!("image {id}"), &error))
    }

    /// The files of podman's store, where they are files of this machine.
    fn store(&self) -> Result<Option<Store>> {
        let root = self.root.as_ref().filter(|_| self.kind == Kind::Podman);
        root.filter(|root| Store::is_at(root)).map(|root| Store::read(root)).transpose()
    }

    fn images(
        &self,
        summaries: &[ImageSummary],
        details: &[ImageInspect],
        store: Option<&Store>,
    ) -> Result<Vec<Image>> {
        let mut children = self.children(summaries)?;
        let mut images = Vec::with_capacity(summaries.len());
        for (summary, detail) in summaries.iter().zip(details) {
            let mut image = named(summary);
            image.created = detail.created.as_ref().and_then(time);
            image.pulled = self.pulled(&image.id, detail, store);
            image.pullable = self.pullable(image.pullable, &image.id, store);
            image.children = children.remove(&image.id).unwrap_or_default();
            image.children.sort_unstable();
            images.push(image);
        }
        images.sort_by(|a, b| a.id.cmp(&b.id));
        images.dedup_by(|a, b| a.id == b.id);
        Ok(images)
    }

    /// When an image came here. Docker's own store has it in no answer (its `LastTagTime` is only
    /// set by `docker tag`), but writes an image's configuration once, when it comes.
    fn pulled(
        &self,
        id: &ImageId,
        detail: &ImageInspect,
        store: Option<&Store>,
    ) -> Option<Timestamp> {
        if let Some(store) = store {
            return store.pulled(id);
        }
        if self.is_containerd_store {
            return detail.metadata.as_ref()?.last_tag_time.as_ref().and_then(time);
        }
        let root = self.root.as_ref().filter(|_| self.kind == Kind::Docker)?;
        let content = root.join("image").join(&self.driver).join("imagedb/content/sha256");
        let written = fs_err::metadata(content.join(id.hex())).ok()?.modified().ok()?;
        let since = written.duration_since(UNIX_EPOCH).ok()?;
        Timestamp::from_second(i64::try_from(since.as_secs()).ok()?).ok()
    }

    /// `by_digests` is what the image's names say.
    fn pullable(&self, by_digests: Pullable, id: &ImageId, store: Option<&Store>) -> Pullable {
        if by_digests == Pullable::Yes && self.kind == Kind::Podman {
            // podman gives every image a digest, also one that no registry has ever seen.
            let Some(store) = store else {
                let because =
                    "podman does not say whether it was pulled, and its store is not here";
                return Pullable::No(because.to_owned());
            };
            return store.pullable(id);
        }
        by_digests
    }

    fn containers(&self) -> Result<Vec<Container>> {
        let options = ListContainersOptionsBuilder::default().all(true).build();
        let listed = self.threads.block_on(self.client.list_containers(Some(options)));
        let listed = listed.map_err(|error| self.told("its containers", &error))?;
        listed.into_iter().map(|summary| self.container(summary)).collect()
    }

    fn container(&self, summary: ContainerSummary) -> Result<Container> {
        let id = summary.id.unwrap_or_default();
        let name = summary.names.unwrap_or_default().into_iter().next().unwrap_or_default();
        let mut images: Vec<String> = Vec::new();
        images.extend(summary.image.filter(|text| !text.is_empty()));
        images.extend(summary.image_id.filter(|text| !text.is_empty()));
        if images.is_empty() {
            return Err(Error::Refused(format!(
                "{}: it does not say which image container {id} has, so any may be in use",
                self.endpoint.engine()
            )));
        }
        // An image that is mounted as a volume.
        for mount in summary.mounts.unwrap_or_default() {
            if mount.typ.as_deref() == Some("image") {
                images.extend(mount.name.or(mount.source).filter(|text| !text.is_empty()));
            }
        }
        let labels = summary.labels.unwrap_or_default();
        Ok(Container {
            pod: PodName::of_labels(|key| labels.get(key).map(String::as_str)),
            name: name.trim_start_matches('/').to_owned(),
            state: summary.state.map(|state| state.to_string()).unwrap_or_default(),
            images,
            id,
        })
    }

    fn storage_of(
        &self,
        summaries: &[ImageSummary],
        details: &[ImageInspect],
        store: Option<&Store>,
    ) -> Storage {
        if let Some(store) = store {
            return store.storage();
        }
        if self.is_containerd_store || self.kind == Kind::Podman {
            // Sizes of layers are in no answer.
            return Storage::default();
        }
        let root = self.root.as_deref().map(|root| root.join("image").join(&self.driver));
        let sizes = layers::Sizes::new(root.as_deref());
        let images = summaries.iter().zip(details);
        let mut storage = Storage::default();
        for (summary, detail) in images {
            let layers = detail.root_fs.as_ref().and_then(|fs| fs.layers.as_deref());
            let Some(chain) = layers::chain(layers.unwrap_or_default()) else { continue };
            let history = || {
                let asked = self.threads.block_on(self.client.image_history(&summary.id));
                asked.map(|rows| rows.iter().map(|row| row.size).collect()).unwrap_or_default()
            };
            let Some(sizes) = sizes.of(&chain, history) else { continue };
            let parts: Vec<_> =
                chain.iter().zip(sizes).map(|(id, size)| storage.part(id.as_str(), size)).collect();
            storage.image(&ImageId::new(&summary.id), parts);
        }
        storage
    }

    fn use_of(&self, store: Option<&Store>) -> Result<Use> {
        let mut containers = self.containers()?;
        // Containers that others make in the same store are in none of podman's lists.
        if let Some(store) = store {
            store.add_containers(&mut containers);
        }
        Ok(Use { containers, ..Use::default() })
    }

    /// The names that it is removed by, one at a time: tags first, then digests of what has none.
    fn handles(image: &Image) -> Vec<String> {
        if !image.tags.is_empty() {
            return image.tags.clone();
        }
        if !image.digests.is_empty() {
            return image.digests.clone();
        }
        vec![image.id.as_str().to_owned()]
    }

    fn exists(&self, id: &ImageId) -> Result<bool, ApiError> {
        match self.threads.block_on(self.client.inspect_image(id.as_str())) {
            Ok(_) => Ok(true),
            Err(ApiError::DockerResponseServerError { status_code: 404, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Gives an image back the names that were taken before something began to use it.
    fn restore(&self, image: &Image, names: &[String]) -> Result<(), String> {
        for name in names {
            let Ok(reference) = name.parse::<Reference>() else { continue };
            let Some(tag) = reference.tag() else { continue };
            let repository = reference.name();
            let options = TagImageOptionsBuilder::default().repo(&repository).tag(tag).build();
            let tagged = self.client.tag_image(image.id.as_str(), Some(options));
            self.threads.block_on(tagged).map_err(|error| {
                let told = self.told(&format!("its name {name}"), &error);
                format!("and the name {name} could not be given back: {told}")
            })?;
        }
        Ok(())
    }
}

impl Runtime for Engine {
    fn kind(&self) -> Kind {
        self.kind
    }

    fn endpoint(&self) -> String {
        self.endpoint.to_string()
    }

    fn name(&self) -> String {
        let kind = if self.kind == Kind::Podman { "podman" } else { "Docker" };
        let store = if self.is_containerd_store { "containerd's store, " } else { "" };
        format!("{kind} {} ({store}{})", escape::line(&self.version), escape::line(&self.driver))
    }

    fn inventory(&self) -> Result<Inventory> {
        let summaries = self.summaries()?;
        let details = self.inspect(&summaries)?;
        let store = self.store()?;
        let store = store.as_ref();
        Ok(Inventory {
            images: self.images(&summaries, &details, store)?,
            used: self.use_of(store)?,
            storage: self.storage_of(&summaries, &details, store),
            capacity: self.capacity(),
            warnings: Vec::new(),
        })
    }

    fn used(&self) -> Result<Use> {
        self.use_of(self.store()?.as_ref())
    }

    fn image(&self, id: &ImageId) -> Result<Option<Image>> {
        let inspected = match self.threads.block_on(self.client.inspect_image(id.as_str())) {
            Ok(inspected) => inspected,
            Err(ApiError::DockerResponseServerError { status_code: 404, .. }) => return Ok(None),
            Err(error) => return Err(self.told(&format!("image {id}"), &error)),
        };
        let summary = ImageSummary {
            id: inspected.id.unwrap_or_default(),
            repo_tags: inspected.repo_tags.unwrap_or_default(),
            repo_digests: inspected.repo_digests.unwrap_or_default(),
            size: inspected.size.unwrap_or_default(),
            ..ImageSummary::default()
        };
        Ok(Some(named(&summary)))
    }

    fn storage(&self) -> Result<Storage> {
        let summaries = self.summaries()?;
        let details = self.inspect(&summaries)?;
        Ok(self.storage_of(&summaries, &details, self.store()?.as_ref()))
    }

    fn capacity(&self) -> Option<Capacity> {
        capacity_at(self.root.as_deref()?)
    }

    fn remove(&self, image: &Image) -> Removal {
        let mut taken: Vec<String> = Vec::new();
        for name in Self::handles(image) {
            if !is_reference(&name) {
                return Removal::Failed(format!("{:?} cannot be asked for", escape::line(&name)));
            }
            let options = None::<bollard::query_parameters::RemoveImageOptions>;
            let removed = self.client.remove_image(&name, options, None);
            let error = match self.threads.block_on(removed) {
                // What is gone already is what was wanted.
                Ok(_) | Err(ApiError::DockerResponseServerError { status_code: 404, .. }) => {
                    taken.push(name);
                    continue;
                }
                Err(error) => error,
            };
            let is_conflict =
                matches!(error, ApiError::DockerResponseServerError { status_code: 409, .. });
            let mut told = self.told(&name, &error).to_string();
            if let Err(unrestored) = self.restore(image, &taken) {
                return Removal::Failed(format!("{told}, {unrestored}"));
            }
            if is_conflict {
                told = match &error {
                    ApiError::DockerResponseServerError { message, .. } => escape::line(message),
                    _ => told,
                };
                return Removal::Refused(told);
            }
            return Removal::Failed(told);
        }
        match self.exists(&image.id) {
            Ok(false) => Removal::Gone,
            Ok(true) => {
                let because = "something gave it a new name, or was built on it".to_owned();
                match self.restore(image, &taken) {
                    Ok(()) => Removal::Refused(because),
                    Err(unrestored) => Removal::Failed(format!("{because}, {unrestored}")),
                }
            }
            Err(error) => Removal::Failed(self.told("whether it is gone", &error).to_string()),
        }
    }
}

/// An image by its names.
fn named(summary: &ImageSummary) -> Image {
    let digests = names(&summary.repo_digests);
    Image {
        tags: names(&summary.repo_tags),
        pullable: Pullable::by_digests(&digests),
        digests,
        size: u64::try_from(summary.size).unwrap_or_default(),
        labels: BTreeMap::from_iter(summary.labels.clone()),
        ..Image::new(ImageId::new(&summary.id))
    }
}

/// A time of the engine.
fn time(date: &bollard::models::BollardDate) -> Option<Timestamp> {
    date.parse().ok()
}
