//! Private copies of Debian's docker-registry.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PACKAGES: &str = "apt-get install docker-registry skopeo apache2-utils openssl";
const START_WAIT: Duration = Duration::from_secs(20);

/// A registry of its own store, stopped when dropped.
pub(crate) struct Server {
    child: Child,
    directory: tempfile::TempDir,
    port: u16,
}

impl Server {
    /// Open to everybody, over plain HTTP.
    pub(crate) fn open() -> Self {
        Self::start(|_| String::new())
    }

    /// Open to `alice` with the password `wonder land`.
    pub(crate) fn with_password() -> Self {
        Self::start(|directory| {
            let row = run(Command::new("htpasswd").args(["-Bbn", "alice", "wonder land"]));
            let path = directory.join("htpasswd");
            fs_err::write(&path, row).unwrap();
            format!("auth:\n  htpasswd:\n    realm: test\n    path: {}\n", path.display())
        })
    }

    /// Over TLS, with a certificate that nobody trusts.
    pub(crate) fn with_tls() -> Self {
        Self::start(|directory| {
            let (key, certificate) = (directory.join("key.pem"), directory.join("certificate.pem"));
            let mut openssl = Command::new("openssl");
            openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
            openssl.args(["-nodes", "-days", "2", "-subj", "/CN=test"]);
            openssl.args(["-addext", "subjectAltName=IP:0.0.0.0,IP:127.0.0.1"]);
            openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate);
            run(&mut openssl);
            let (key, certificate) = (key.display(), certificate.display());
            format!("  tls:\n    certificate: {certificate}\n    key: {key}\n")
        })
    }

    /// `more` continues the section `http` of the configuration, or begins another one.
    fn start(more: impl FnOnce(&Path) -> String) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let store = directory.path().join("store");
        let configuration = format!(
            "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\n\
             http:\n  addr: 127.0.0.1:{port}\n{}",
            store.display(),
            more(directory.path())
        );
        let path = directory.path().join("config.yml");
        fs_err::write(&path, configuration).unwrap();
        let log = fs_err::File::create(directory.path().join("log")).unwrap().into_file();
        let child = Command::new("docker-registry")
            .arg("serve")
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("docker-registry: {error}; {PACKAGES}"));
        let server = Self { child, directory, port };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = fs_err::read_to_string(server.directory.path().join("log")).unwrap();
            assert!(began.elapsed() < START_WAIT, "docker-registry does not listen: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The same, by an address that is this machine's and does not count as such.
    pub(crate) fn unlocal_address(&self) -> String {
        format!("0.0.0.0:{}", self.port)
    }

    /// Copies every image of the layout's `tag` to `team/app:TAG`.
    pub(crate) fn push(&self, layout: &Path, tag: &str) {
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["--insecure-policy", "copy", "--all", "--preserve-digests"]);
        skopeo.args(["--dest-tls-verify=false", "--dest-creds", "alice:wonder land"]);
        skopeo.arg(format!("oci:{}:{tag}", layout.display()));
        skopeo.arg(format!("docker://{}/team/app:{tag}", self.address()));
        run(&mut skopeo);
    }

    /// Loses the blob's bytes, as a broken store does.
    pub(crate) fn lose(&self, digest: &jettison_oci::Digest) {
        let blobs = self.directory.path().join("store/docker/registry/v2/blobs/sha256");
        let hex = digest.hex();
        fs_err::remove_file(blobs.join(&hex[..2]).join(hex).join("data")).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(command: &mut Command) -> Vec<u8> {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; {PACKAGES}", command.get_program().display()));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    output.stdout
}
