//! A browser of this machine, without a window: Chromium, spoken to through the pipes that its
//! `DevTools` protocol has. Real clicks, real keys; what it says of errors and requests is kept.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use base64::Engine as _;
use jettison_testkit::require;
use serde_json::{Value, json};

/// How long a page may take for one thing: far more than it needs on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Chromium with one page.
pub(crate) struct Browser {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    session: String,
    sent: u64,
    events: Vec<Value>,
    /// Pages that were opened.
    addresses: Vec<String>,
    _profile: tempfile::TempDir,
}

/// A key on a keyboard.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Key {
    Tab,
    Enter,
    Escape,
    Backspace,
    Right,
    Down,
    Slash,
}

impl Key {
    /// Its name, its code, and what it writes.
    const fn parts(self) -> (&'static str, u32, Option<&'static str>) {
        match self {
            Self::Tab => ("Tab", 9, None),
            Self::Enter => ("Enter", 13, Some("\r")),
            Self::Escape => ("Escape", 27, None),
            Self::Backspace => ("Backspace", 8, None),
            Self::Right => ("ArrowRight", 39, None),
            Self::Down => ("ArrowDown", 40, None),
            Self::Slash => ("/", 191, Some("/")),
        }
    }
}

impl Browser {
    /// Starts one with a profile of its own.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let program = require::program("chromium", "chromium")?;
        let profile = tempfile::tempdir()?;
        // The protocol's pipes are the descriptors 3 and 4.
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$@\" 3<&0 4>&1 </dev/null >&2", "sh"]).arg(program);
        command.args([
            "--headless=new",
            "--remote-debugging-pipe",
            "--no-first-run",
            "--disable-gpu",
            "--disable-extensions",
            "--disable-background-networking",
            "--disable-component-update",
        ]);
        if rustix::process::geteuid().is_root() {
            command.arg("--no-sandbox");
        }
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg("about:blank");
        // What it leaves behind goes with the profile.
        command.env("HOME", profile.path()).env("TMPDIR", profile.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let input = child.stdin.take().context("no pipe")?;
        let output = child.stdout.take().context("no pipe")?;
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            let mut message = Vec::new();
            while output.read_until(0, &mut message).is_ok_and(|read| read > 0) {
                message.pop();
                let Ok(value) = serde_json::from_slice(&message) else { break };
                if sender.send(value).is_err() {
                    break;
                }
                message.clear();
            }
        });
        let mut browser = Self {
            child,
            input,
            messages,
            session: String::new(),
            sent: 0,
            events: Vec::new(),
            addresses: Vec::new(),
            _profile: profile,
        };
        let page = browser.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attached = json!({ "targetId": page["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", &attached);
        browser.session.push_str(attached["sessionId"].as_str().context("no session")?);
        for domain in ["Page", "Runtime", "Network", "Log"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        Ok(browser)
    }

    /// Asks for something and waits for the answer.
    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.sent += 1;
        let mut message = json!({ "id": self.sent, "method": method, "params": parameters });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.input.write_all(&bytes).unwrap();
        loop {
            let mut message = self.messages.recv_timeout(PATIENCE).expect("the browser answers");
            if message["id"] == self.sent {
                assert_eq!(message["error"], Value::Null, "{method}");
                return message["result"].take();
            }
            self.events.push(message);
        }
    }

    /// Shows the page in a file, and waits until it is drawn.
    pub(crate) fn open(&mut self, page: &Path) {
        self.call("Page.navigate", &json!({ "url": "about:blank" }));
        let address = format!("file://{}", page.display());
        self.addresses.push(address.clone());
        let gone = self.call("Page.navigate", &json!({ "url": address }));
        assert_eq!(gone["errorText"], Value::Null);
        self.wait("document.documentElement?.dataset.ready === 'yes'");
    }

    /// What a script in the page gives.
    pub(crate) fn js(&mut self, script: &str) -> Value {
        let ask = json!({ "expression": script, "returnByValue": true, "awaitPromise": true });
        let mut answer = self.call("Runtime.evaluate", &ask);
        assert_eq!(answer["exceptionDetails"], Value::Null, "{script}");
        answer["result"]["value"].take()
    }

    /// The same, as text.
    pub(crate) fn text(&mut self, script: &str) -> String {
        let value = self.js(script);
        value.as_str().unwrap_or_else(|| panic!("{script} is {value}")).to_owned()
    }

    /// Waits until a script gives true.
    pub(crate) fn wait(&mut self, script: &str) {
        let start = Instant::now();
        while self.js(script) != true {
            assert!(start.elapsed() < PATIENCE, "never: {script}\n{:?}", self.complaints());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Clicks into the middle of the element that a script gives, a little below its top.
    pub(crate) fn click(&mut self, element: &str) {
        let place = self.js(&format!(
            "(() => {{ const e = {element}; e.scrollIntoView({{ block: 'center' }}); \
             const r = e.getBoundingClientRect(); \
             return [r.x + r.width / 2, r.y + Math.min(r.height / 2, 8)]; }})()"
        ));
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": place[0], "y": place[1], "button": "left",
                "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", &event);
        }
    }

    /// Presses a key and lets it go.
    pub(crate) fn key(&mut self, key: Key) {
        let (name, code, text) = key.parts();
        let mut event = json!({ "type": "keyDown", "key": name, "code": name,
            "windowsVirtualKeyCode": code });
        if let Some(text) = text {
            event["text"] = json!(text);
        }
        self.call("Input.dispatchKeyEvent", &event);
        event["type"] = json!("keyUp");
        event.as_object_mut().unwrap().remove("text");
        self.call("Input.dispatchKeyEvent", &event);
    }

    /// Types text where the focus is.
    pub(crate) fn write(&mut self, text: &str) {
        self.call("Input.insertText", &json!({ "text": text }));
    }

    /// The window's size.
    pub(crate) fn resize(&mut self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1,
            "mobile": width < 500 });
        self.call("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Which colours the reader's system asks for: `light` or `dark`.
    pub(crate) fn prefer(&mut self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// A picture of the window in the directory that `JETTISON_SCREENSHOTS` names, if it does.
    pub(crate) fn picture(&mut self, name: &str) {
        let Some(directory) = std::env::var_os("JETTISON_SCREENSHOTS") else { return };
        let picture = self.call("Page.captureScreenshot", &json!({ "format": "png" }));
        let data = picture["data"].as_str().unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.decode(data).unwrap();
        fs_err::write(PathBuf::from(directory).join(format!("{name}.png")), bytes).unwrap();
    }

    /// Errors, messages on the console, and requests for anything but the page.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        // What was sent before an answer has come before it.
        self.call("Runtime.getIsolateId", &json!({}));
        let pages = &self.addresses;
        let is_odd = |event: &&Value| match event["method"].as_str() {
            Some("Runtime.exceptionThrown" | "Runtime.consoleAPICalled" | "Log.entryAdded") => true,
            Some("Network.requestWillBeSent") => {
                let url = event["params"]["request"]["url"].as_str().unwrap_or_default();
                url != "about:blank"
                    && !pages.iter().any(|page| url.split('#').next() == Some(page))
            }
            _ => false,
        };
        let odd = self.events.iter().filter(is_odd);
        odd.map(|event| event["params"].to_string()).collect()
    }

    /// Nothing but the page was asked for, and nothing went wrong in it.
    pub(crate) fn is_content(&mut self) {
        assert_eq!(self.complaints(), [] as [String; 0]);
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let close = json!({ "id": u64::MAX >> 12, "method": "Browser.close" });
        let mut bytes = close.to_string().into_bytes();
        bytes.push(0);
        let _ = self.input.write_all(&bytes);
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(5) {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
