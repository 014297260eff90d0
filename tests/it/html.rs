//! Pages, as a browser shows them and as their readers use them.

use jettison_testkit::image::{Compression, Image, ImageBuilder, ImageFiles, LayerBuilder, Wrap};
use jettison_testkit::require::{self, Part};
use serde_json::Value;

use crate::browser::{Browser, Key};
use crate::jettison::User;
use crate::shop;

/// A browser, unless it is not wanted.
fn browser() -> Option<Browser> {
    let mut browser = require::unless_skipped(Part::Chromium, Browser::start)?;
    browser.resize(1280, 900);
    browser.prefer("light");
    Some(browser)
}

fn write(user: &User, name: &str, image: Image) {
    let files = ImageFiles::docker_archive_legacy(&[image], false);
    files.write_archive(&user.path(name), Wrap::None).unwrap();
}

/// The page's text.
fn page(user: &User, arguments: &[&str]) -> String {
    user.run(&[arguments, &["--format", "html"]].concat()).text()
}

/// The document in a page.
fn data(page: &str) -> Value {
    let (_, rest) = page.split_once("id=\"data\">").unwrap();
    let (json, _) = rest.split_once("</script>").unwrap();
    serde_json::from_str(json).unwrap()
}

/// Bytes of the map by state.
fn by_state(data: &Value) -> Vec<u64> {
    let mut sums = vec![0; data["states"].as_array().unwrap().len()];
    let mut add = |state: &Value, bytes: &Value| {
        sums[usize::try_from(state.as_u64().unwrap()).unwrap()] += bytes.as_u64().unwrap();
    };
    for row in data["tree"].as_array().unwrap() {
        let row = row.as_array().unwrap();
        match &row[0] {
            Value::String(_) if row.len() > 2 => add(&row[2], &row[1]),
            Value::Array(_) => row.iter().for_each(|part| add(&part[2], &part[0])),
            _ => {}
        }
    }
    sums
}

const SHOP: &str = "docker-archive:shop.tar";

#[test]
fn numbers_of_a_page_are_the_account_s() {
    let user = shop::user();
    let account = user.analyze_with("shop.tar", &["--unused"]);
    let size = |name: &str| account["size"][name].as_u64().unwrap();
    let with_facts = data(&page(&user, &["analyze", "shop.tar"]));
    let [reached, unused, duplicate, both, wasted] = by_state(&with_facts)[..] else { panic!() };
    assert_eq!(reached + unused + duplicate + both, size("live"));
    assert_eq!(duplicate + both, size("duplicate"));
    assert_eq!(unused + both, size("unused"));
    assert_eq!(wasted, size("wasted"));
    assert_eq!(with_facts["size"], account["size"]);
    let without = data(&page(&user, &["analyze", "shop.tar", "--advice", "off"]));
    let [live, 0, duplicate, 0, _] = by_state(&without)[..] else { panic!() };
    assert_eq!((live + duplicate, duplicate), (size("live"), size("duplicate")));
    assert_eq!(without["states"][0]["title"], "live");
    assert_eq!((&without["findings"], &without["packageRows"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_page_is_one_file_and_the_same_each_time() {
    let user = shop::user();
    let first = page(&user, &["analyze", "shop.tar"]);
    user.run(&["analyze", "shop.tar", "--jobs", "1", "--output", "html=page.html"]).text();
    assert!(fs_err::read_to_string(user.path("page.html")).unwrap() == first);
    for word in ["default-src 'none'", "script-src 'sha256-", "style-src 'sha256-"] {
        assert!(first.contains(word), "{word}");
    }
    let run = user.run(&["why", "shop.tar", "/usr", "--format", "html"]);
    run.fails(2, &["html is no format of jettison why", "text and json"]);
    let run = user.run(&["why", "shop.tar", "/usr", "--output", "html=why.html"]);
    run.fails(2, &["html is no format of jettison why"]);
    assert!(!user.path("why.html").exists());
}

/// The rectangle whose label starts so.
fn tile(label: &str) -> String {
    format!("[...document.querySelectorAll('g.tile')].find(g => g.ariaLabel.startsWith('{label}'))")
}

const PLACE: &str = "[...document.querySelectorAll('.crumbs li')].map(li => li.textContent).join()";

#[test]
fn a_page_is_walked_with_a_mouse_and_with_a_keyboard() {
    let Some(mut browser) = browser() else { return };
    let user = shop::user();
    let live = user.analyze(SHOP)["size"]["live"].clone();
    fs_err::write(user.path("page.html"), page(&user, &["analyze", SHOP])).unwrap();
    browser.open(&user.path("page.html"));
    browser.picture("shop-light");
    assert_eq!(
        browser.text("document.querySelector('h1').textContent"),
        "shop.tar:example.test/shop:1"
    );
    let whole = browser.text("document.querySelector('.crumbs .num').title");
    assert_eq!(whole.replace(',', ""), format!("{live} bytes"));

    // In by a click, out by the place above.
    browser.click(&tile("directory opt"));
    assert_eq!(browser.text(PLACE), "/,opt/shop");
    assert_eq!(browser.text("location.hash"), "#/opt/shop");
    browser.click(&tile("directory data"));
    assert_eq!(browser.text(PLACE), "/,opt/shop,data");
    browser.picture("shop-zoomed");
    browser.click("document.querySelector('.crumbs button')");
    assert_eq!(browser.text(PLACE), "/");

    // By keys alone: Tab comes to the map, arrows move in it, and every way out is one step.
    browser.key(Key::Slash);
    assert_eq!(browser.text("document.activeElement.id"), "filter-path");
    let in_map = "document.activeElement.matches('g.tile')";
    for _ in 0..20 {
        if browser.js(in_map) == true {
            break;
        }
        browser.key(Key::Tab);
    }
    assert_eq!(browser.js(in_map), true);
    let label = "document.activeElement.ariaLabel";
    let first = browser.text(label);
    assert!(first.starts_with("directory opt/shop"), "{first}");
    browser.key(Key::Down);
    browser.key(Key::Right);
    let moved = browser.text(label);
    assert_ne!(moved, first);
    assert_eq!(browser.js("document.getElementById('tip').hidden"), false);
    let edge =
        "getComputedStyle(document.activeElement.querySelector('rect:last-of-type')).strokeWidth";
    assert_eq!(browser.text(edge), "3px");
    browser.js(&format!("{}.focus()", tile("directory opt")));
    browser.key(Key::Enter);
    assert_eq!(browser.text(PLACE), "/,opt/shop");
    assert_eq!(browser.js(in_map), true);
    browser.js(&format!("{}.focus()", tile("directory data")));
    browser.key(Key::Enter);
    browser.key(Key::Escape);
    assert_eq!(browser.text(PLACE), "/,opt/shop");
    assert!(browser.text(label).starts_with("directory data"));
    browser.key(Key::Backspace);
    assert_eq!(browser.text(PLACE), "/");
    assert!(browser.text(label).starts_with("directory opt/shop"));
    browser.is_content();
}

#[test]
fn a_page_is_filtered_and_sorted() {
    let Some(mut browser) = browser() else { return };
    let user = shop::user();
    fs_err::write(user.path("page.html"), page(&user, &["analyze", SHOP])).unwrap();
    browser.open(&user.path("page.html"));
    let rows = "document.querySelectorAll('table.largest tr.row').length";
    let all = browser.js(rows);
    browser.key(Key::Slash);
    browser.write("orders");
    browser.wait("!document.querySelector('.matched').hidden");
    assert_eq!(
        browser.text("document.querySelector('.matched').textContent"),
        "2 files: 136.7 KiB live, 0 B wasted"
    );
    assert_eq!(browser.js(rows), 2);
    assert_eq!(browser.text("document.querySelector('.crumbs .num').title"), "140,000 bytes");
    let paths =
        "[...document.querySelectorAll('table.largest .path')].map(p => p.textContent).join()";
    assert_eq!(browser.text(paths), "/opt/shop/data/orders-copy.csv,/opt/shop/data/orders.csv");
    browser.picture("shop-filtered");
    browser.click("document.querySelector('.filter .quiet')");
    assert_eq!(browser.js(rows), all);
    // A layer, and of it what is wasted.
    browser.js("{ const s = document.getElementById('filter-layer'); s.value = '1'; \
        s.dispatchEvent(new Event('change')); }");
    browser.click("[...document.querySelectorAll('.legend button')].find(b => b.textContent.startsWith('wasted'))");
    assert_eq!(browser.text(paths), "/var/lib/apt/lists/Packages");
    // Rules are pressed where they stand.
    browser.click("document.querySelector('.filter .quiet')");
    browser.click("document.querySelector('table.findings .link.mono')");
    let rule = browser.text("document.querySelector('table.findings .link.mono').textContent");
    let chosen = "document.querySelector('#filter-rule').selectedOptions[0].textContent";
    assert_eq!(browser.text(chosen), rule);
    browser.click("document.querySelector('.filter .quiet')");

    // Sorted by path, and the other way round.
    let head = "document.querySelector('table.largest thead th')";
    assert_eq!(browser.text(&format!("{head}.ariaSort")), "none");
    for (order, is_sorted) in [("ascending", "a <= b"), ("descending", "a >= b")] {
        browser.click(&format!("{head}.querySelector('button')"));
        assert_eq!(browser.text(&format!("{head}.ariaSort")), order);
        let sorted = format!(
            "(p => p.every((b, at) => {{ const a = p[at ? at - 1 : at]; return {is_sorted}; }}))\
            ([...document.querySelectorAll('table.largest th[scope=row]')].map(th => th.textContent))"
        );
        assert_eq!(browser.js(&sorted), true, "{order}");
    }
    // Keys sort too.
    browser.js(&format!("{head}.querySelector('button').focus()"));
    browser.key(Key::Enter);
    assert_eq!(browser.text(&format!("{head}.ariaSort")), "ascending");
    browser.is_content();
}

#[test]
fn a_suggestion_has_text_to_copy() {
    let Some(mut browser) = browser() else { return };
    let user = User::new();
    let data = |mode| {
        let meta = jettison_testkit::image::Meta::mode(mode);
        LayerBuilder::new().file_with("app/data.bin", shop::content("data", 4 << 20), meta)
    };
    let image = ImageBuilder::new()
        .compression(Compression::Plain)
        .layer(data(0o644), "RUN /bin/sh -c make-data /app/data.bin # buildkit")
        .layer(data(0o755), "RUN /bin/sh -c chmod 0755 /app/data.bin # buildkit")
        .entrypoint(&["/app/data.bin"]);
    write(&user, "chmod.tar", image.tag("example.test/chmod:1").build());
    let text = page(&user, &["analyze", "chmod.tar"]);
    let suggested = data_of(&text, "suggestions");
    fs_err::write(user.path("chmod.html"), text).unwrap();
    browser.open(&user.path("chmod.html"));
    let table = "document.querySelector('table.suggestions')";
    browser.click(&format!("{table}.querySelector('.opener')"));
    assert_eq!(browser.text(&format!("{table}.querySelector('.opener').ariaExpanded")), "true");
    let code = browser.text(&format!("{table}.querySelector('.detail code').textContent"));
    assert_eq!(suggested["rows"][0]["dockerfile"], code);
    let copy = format!("{table}.querySelector('.copy')");
    assert_eq!(browser.text(&format!("{copy}.ariaLabel")), "Copy lines of a Dockerfile");
    browser.click(&copy);
    browser.wait(&format!("{copy}.textContent === 'Copied'"));
    browser.picture("suggestion");
    browser.is_content();
}

/// A part of the document in a page.
fn data_of(page: &str, part: &str) -> Value {
    data(page)[part].take()
}

/// Whether nothing is wider than the window.
const FITS: &str = "document.documentElement.scrollWidth <= innerWidth";

#[test]
fn a_page_is_read_at_night_and_on_a_phone() {
    let Some(mut browser) = browser() else { return };
    let user = shop::user();
    write(&user, "new.tar", shop::second());
    write(&user, "odd.tar", shop::odd_names());
    for (name, arguments) in [
        ("shop", &["analyze", SHOP][..]),
        ("odd", &["analyze", "odd.tar"]),
        ("diff", &["diff", SHOP, "new.tar"]),
        ("diff-odd", &["diff", SHOP, "odd.tar"]),
    ] {
        let file = user.path(&format!("{name}.html"));
        fs_err::write(&file, page(&user, arguments)).unwrap();
        browser.resize(1280, 900);
        browser.prefer("light");
        browser.open(&file);
        let ground = "getComputedStyle(document.body).backgroundColor";
        let light = browser.text(ground);
        browser.prefer("dark");
        let dark = browser.text(ground);
        assert_ne!(light, dark);
        browser.picture(&format!("{name}-dark"));
        browser.click("document.getElementById('theme')");
        assert_eq!(browser.text(ground), light);
        browser.click("document.getElementById('theme')");
        assert_eq!(browser.text(ground), dark);
        browser.js("localStorage.clear()");
        browser.resize(360, 780);
        browser.open(&file);
        // Opened rows are no wider either.
        browser.js("document.querySelectorAll('.opener, summary').forEach(e => e.click())");
        assert_eq!(browser.js(FITS), true, "{name}");
        browser.picture(&format!("{name}-phone"));
        browser.is_content();
    }
}

/// Names that would like to be more than names.
const HOSTILE: [&[u8]; 10] = [
    b"<img src=x onerror=window.hit=1>",
    b"</script><script>window.hit=1</script>",
    b"<!--<script>",
    b"a|b`c\"d'e&amp;f",
    b"new\nline",
    b"\x1b[31mred\x1b[0m",
    b"latin-\xe4\xff",
    "turned-\u{202e}gnp.exe".as_bytes(),
    "line-\u{2028}-\u{2029}-end".as_bytes(),
    b"${window.hit=1}{{hit}}",
];

#[test]
fn hostile_names_are_text() {
    let Some(mut browser) = browser() else { return };
    let user = User::new();
    let evil = "</script><img src=x onerror=window.hit=1>\u{202e}\u{2028}";
    let mut kept = LayerBuilder::new();
    let mut gone = LayerBuilder::new();
    let mut hidden = LayerBuilder::new();
    for (number, name) in HOSTILE.into_iter().enumerate() {
        let content = shop::content("evil", 2000 + number);
        kept = kept.file([b"srv/", name, b"/", name].concat(), content.clone());
        gone = gone.file([b"tmp/", name].concat(), content);
        hidden = hidden.whiteout([b"tmp/", name].concat());
    }
    let image = ImageBuilder::new()
        .compression(Compression::Plain)
        .created(Some(evil))
        .layer(kept, evil)
        .layer(gone, &format!("RUN echo '{evil}'"))
        .layer(hidden, "RUN rm -r /tmp/*")
        .entrypoint(&[evil])
        .label("a", evil)
        .tag(evil)
        .build();
    write(&user, "evil.tar", image);
    write(&user, "other.tar", shop::image());
    for arguments in [&["analyze", "evil.tar"][..], &["diff", "other.tar", "evil.tar"]] {
        let text = page(&user, arguments);
        assert_eq!(text.matches("</script>").count(), 2);
        assert_eq!(text.matches("<img").count(), 0);
        assert!(!text.contains(['\u{202e}', '\u{2028}', '\u{1b}']));
        fs_err::write(user.path("evil.html"), text).unwrap();
        browser.open(&user.path("evil.html"));
        browser.js("document.querySelectorAll('.opener, summary').forEach(e => e.click())");
        browser.js("document.querySelectorAll('button.more').forEach(e => e.click())");
        browser.js("document.querySelectorAll('g.tile').forEach(g => g.focus())");
        assert_eq!(browser.js("window.hit === undefined"), true);
        assert_eq!(browser.js("document.querySelectorAll('img, iframe, object, link').length"), 0);
        assert_eq!(browser.js("document.querySelectorAll('script').length"), 2);
        assert_eq!(
            browser.js("/[\\u202e\\u2028\\u2029\\x1b]/.test(document.body.textContent)"),
            false
        );
        let shown = browser.text("document.getElementById('files').textContent");
        for name in [
            "/srv/<img src=x onerror=window.hit=1>/<img src=x onerror=window.hit=1>",
            "new\\nline",
            "\\x1b[31mred\\x1b[0m",
            "latin-\\xe4\\xff",
            "turned-\\u{202e}gnp.exe",
            "a|b`c\"d'e&amp;f",
        ] {
            assert!(shown.contains(name), "{name} is not in {shown}");
        }
        browser.picture("hostile");
        browser.is_content();
    }
}

#[test]
fn a_page_of_a_hundred_thousand_files_is_small_and_quick() {
    let Some(mut browser) = browser() else { return };
    let user = User::new();
    let mut layer = LayerBuilder::new();
    for at in 0..100_000_usize {
        let path = format!("srv/{}/{}/file-{at}.dat", at % 40, at % 1000);
        layer = layer.file(path, format!("{at}{}", "x".repeat(at % 512)));
    }
    let image = ImageBuilder::new().compression(Compression::Plain).layer(layer, "COPY . /srv");
    write(&user, "many.tar", image.tag("example.test/many:1").build());
    let text = page(&user, &["analyze", "many.tar"]);
    assert!(text.len() < 3 << 20, "{} bytes", text.len());
    let live: u64 = by_state(&data(&text))[..4].iter().sum();
    assert_eq!(live, user.analyze("many.tar")["size"]["live"].as_u64().unwrap());
    fs_err::write(user.path("many.html"), text).unwrap();
    browser.open(&user.path("many.html"));
    browser.picture("many");
    browser.click(&tile("directory 7,"));
    assert_eq!(browser.text(PLACE), "/,srv,7");
    browser.key(Key::Slash);
    browser.write("/7/");
    browser.wait("!document.querySelector('.matched').hidden");
    let matched = browser.text("document.querySelector('.matched').textContent");
    assert!(matched.starts_with("2,500 files: "), "{matched}");
    browser.is_content();
}

#[test]
fn a_diff_is_seen() {
    let Some(mut browser) = browser() else { return };
    let user = shop::user();
    write(&user, "new.tar", shop::second());
    let text = page(&user, &["diff", SHOP, "new.tar"]);
    let document = user.run(&["diff", SHOP, "new.tar", "--format", "json"]).json();
    let [added, grown, removed, shrunk] = by_state(&data(&text))[..] else { panic!() };
    let delta = i128::from(added + grown) - i128::from(removed + shrunk);
    assert_eq!(delta, i128::from(document["size"]["live"]["delta"].as_i64().unwrap()));
    fs_err::write(user.path("diff.html"), text).unwrap();
    browser.open(&user.path("diff.html"));
    browser.picture("shop-diff");
    let layers = "document.querySelectorAll('ol.pairs > li').length";
    assert_eq!(browser.js(layers), document["layers"].as_array().unwrap().len());
    let files = "document.querySelector('#changed-title .count').textContent";
    let all = document["files"].as_array().unwrap();
    assert_eq!(browser.text(files), all.len().to_string());
    browser.js("{ const s = document.getElementById('filter-change'); s.value = 'moved'; \
        s.dispatchEvent(new Event('change')); }");
    let moved = all.iter().filter(|file| file["change"] == "moved").count();
    assert_eq!(browser.text(files), moved.to_string());
    assert_eq!(
        browser.text("document.querySelector('table.changed .row th').textContent"),
        "/opt/shop/archive/orders.csvfrom /opt/shop/data/orders.csv"
    );
    browser.click("document.querySelector('.filter .quiet')");
    browser.key(Key::Slash);
    browser.write("new.bin");
    browser.wait("!document.querySelector('.matched').hidden");
    assert_eq!(browser.text(files), "1");
    browser.is_content();
}

#[test]
fn a_gate_is_seen() {
    let Some(mut browser) = browser() else { return };
    let user = shop::user();
    write(&user, "new.tar", shop::second());
    let budget = "[[gate.budget]]\nmetric = \"effective\"\nmax-increase = 0\nmax = \"1GB\"\n";
    fs_err::write(user.path("jettison.toml"), budget).unwrap();
    let gate = ["gate", SHOP, "--against", "new.tar"];
    let arguments = [&gate[..], &["--exit-zero"]].concat();
    let text = page(&user, &arguments);
    let run = user.run(&[&arguments[..], &["--format", "json"]].concat());
    let document = run.json();
    let grown = document["images"][0]["grown"]["effective"].as_i64().unwrap();
    let [added, more, removed, less] = by_state(&data(&text))[..] else { panic!() };
    assert_eq!(i128::from(added + more) - i128::from(removed + less), i128::from(grown));
    fs_err::write(user.path("gate.html"), text).unwrap();
    browser.open(&user.path("gate.html"));
    browser.picture("gate-light");
    assert_eq!(browser.text("document.querySelector('.says .state').textContent"), "fail");
    let says = browser.text("document.querySelector('.notices li').textContent");
    assert!(says.contains("effective grew by"), "{says}");
    let rows = "document.querySelectorAll('table.files-0 tr.row').length";
    let all = browser.js(rows).as_u64().unwrap();
    // Sorted by a column, then filtered by path from the keyboard.
    browser.click("document.querySelector('table.files-0 thead th:nth-child(5) button')");
    let sorted = "document.querySelector('table.files-0 thead th:nth-child(5)').ariaSort";
    assert_eq!(browser.text(sorted), "descending");
    browser.key(Key::Slash);
    browser.write("new.bin");
    browser.wait("!document.querySelector('.matched').hidden");
    let fewer = browser.js(rows).as_u64().unwrap();
    assert!(0 < fewer && fewer < all, "{fewer} of {all}");
    browser.key(Key::Escape);
    browser.is_content();
    browser.prefer("dark");
    browser.resize(360, 800);
    browser.picture("gate-phone");
    let wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth";
    assert_eq!(browser.js(wide), false);
    // Names are text here too, of a baseline as well.
    let evil = "</script><img src=x onerror=window.hit=1>\u{202e}";
    let mut layer = LayerBuilder::new();
    for name in HOSTILE {
        layer = layer.file([b"srv/", name].concat(), shop::content("evil", 3000));
    }
    write(&user, "evil.tar", ImageBuilder::new().layer(layer, evil).build());
    for against in [["--against", SHOP], ["--baseline", "base.json"]] {
        user.run(&["baseline", "update", "x=new.tar", "--baseline", "base.json"]).text();
        let text = page(&user, &[&["gate", "x=evil.tar", "--exit-zero"][..], &against].concat());
        assert_eq!((text.matches("</script>").count(), text.matches("<img").count()), (2, 0));
        fs_err::write(user.path("evil.html"), text).unwrap();
        browser.open(&user.path("evil.html"));
        browser.js("document.querySelectorAll('button.more').forEach(e => e.click())");
        assert_eq!(browser.js("window.hit === undefined"), true);
        let shown = browser.text("document.body.textContent");
        assert!(shown.contains("turned-\\u{202e}gnp.exe"), "{shown}");
        browser.is_content();
    }
}
