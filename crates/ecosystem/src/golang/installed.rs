//! Module lists, as `runtime/debug.BuildInfo` prints them.
//!
//! ```text
//! path  example.com/cmd/tool
//! mod   example.com            v1.2.0              (main module)
//! dep   golang.org/x/net       v0.7.0     h1:…
//! =>    example.com/fork/net   v0.7.1     h1:…     (replaces the line above)
//! build GOOS=linux
//! ```

use boltseal_model::{Catalog, Package, Tree};

use crate::{
    catalog::not_parsed,
    executable::{self, Distilled},
    origin,
    purl::Purl,
};

/// What advisories call the standard library.
pub(super) const STDLIB: &str = "stdlib";

/// What advisories call the `go` command, and what it calls itself.
const TOOLCHAIN: &str = "toolchain";
const GO: &str = "cmd/go";

/// What Go calls a version that is none.
const DEVEL: &str = "(devel)";

pub(super) fn catalog(tree: &Tree, out: &mut Catalog) {
    for found in executable::records(tree, "golang") {
        let text = String::from_utf8_lossy(found.record);
        let (go, text) = text.split_once('\n').unwrap_or((&text, ""));
        let release = go_release(go);
        match modules(text) {
            Ok(modules) if modules.is_empty() && !needs_no_modules(text) => {
                let why = "a Go executable that was built without modules, so its dependencies are unknown";
                out.gaps.push(not_parsed("golang", found.path, why));
            }
            Ok(modules) => out.packages.extend(modules.iter().map(|module| package(tree, &found, module))),
            Err(why) => out.gaps.push(not_parsed("golang", found.path, why)),
        }
        for path in [STDLIB].into_iter().chain(main_path(text).filter(|path| *path == GO).map(|_| TOOLCHAIN))
        {
            out.packages.push(package(tree, &found, &Module { path, version: &release }));
        }
    }
}

/// Import path of the main package.
fn main_path(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("path\t"))
}

/// Go's own tools are a part of the release; a single file needs no module of its own.
fn needs_no_modules(text: &str) -> bool {
    main_path(text).is_some_and(|path| path.starts_with("cmd/") || path == "command-line-arguments")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Module<'a> {
    path: &'a str,
    version: &'a str,
}

/// The version that whoever built the program wrote into it: `-ldflags="-X main.version=1.2.3"`.
fn stamped(text: &str) -> Option<&str> {
    let flags = text.lines().find_map(|line| line.strip_prefix("build\t-ldflags="))?;
    let mut words = flags.split([' ', '"', '\'', '`', '\\']).filter_map(|word| word.split_once('='));
    words.find_map(|(name, value)| {
        let names_it = name.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("version"));
        let version = value.strip_prefix('v').unwrap_or(value);
        let is_one = version.matches('.').count() >= 2 && super::version::compare(version, version).is_ok();
        (names_it && is_one).then_some(value)
    })
}

/// Main module and dependencies, replacements applied.
fn modules(text: &str) -> Result<Vec<Module<'_>>, &'static str> {
    let mut modules: Vec<Module<'_>> = Vec::new();
    for line in text.lines() {
        let mut fields = line.split('\t');
        match fields.next() {
            Some("mod" | "dep") => modules.push(Module::of(fields)?),
            Some("=>") => {
                let replaced = modules.last_mut().ok_or("a replacement replaces nothing")?;
                let by = Module::of(fields)?;
                // A folder on the builder's disk: still that module, in a version nobody knows.
                *replaced = if by.version == DEVEL { Module { version: DEVEL, ..*replaced } } else { by };
            }
            _ => {}
        }
    }
    let is_main = text.lines().any(|line| line.starts_with("mod\t"));
    if let Some(main) = modules.first_mut().filter(|main| is_main && main.version == DEVEL) {
        main.version = stamped(text).unwrap_or(DEVEL);
    }
    Ok(modules)
}

impl<'a> Module<'a> {
    fn of(mut fields: impl Iterator<Item = &'a str>) -> Result<Self, &'static str> {
        let path = fields.next().unwrap_or_default();
        let version = fields.next().filter(|version| !version.is_empty()).unwrap_or(DEVEL);
        let sane = |text: &str| {
            !text.starts_with('-') && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        if path.is_empty() || !sane(path) || !sane(version) {
            return Err("a line of the module list has no path, or holds white space or control characters");
        }
        Ok(Self { path, version })
    }
}

/// `go1.21.5 X:boringcrypto` is 1.21.5; `go1.21rc2` is 1.21.0-rc.2, as the Go vulnerability database writes it.
fn go_release(text: &str) -> String {
    let word = text.split_whitespace().next().unwrap_or_default();
    let Some(release) = word.strip_prefix("go").filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    else {
        return DEVEL.to_owned();
    };
    // A vendor's own builds: `go1.20.5-bigcorp`, `go1.22.1+auto`.
    let release = release.split(['-', '+']).next().unwrap_or(release);
    if !release.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.') {
        return DEVEL.to_owned();
    }
    let Some(start) = release.find(|c: char| c.is_ascii_alphabetic()) else { return release.to_owned() };
    let (numbers, pre) = release.split_at(start);
    let (word, number) = pre.split_at(pre.find(|c: char| c.is_ascii_digit()).unwrap_or(pre.len()));
    let zeros = ".0".repeat(2usize.saturating_sub(numbers.matches('.').count()));
    if number.is_empty() {
        format!("{numbers}{zeros}-{word}")
    } else {
        format!("{numbers}{zeros}-{word}.{number}")
    }
}

fn package(tree: &Tree, found: &Distilled<'_>, module: &Module<'_>) -> Package {
    let same = |content: &[u8]| {
        let Some(old) = executable::record(content, "golang") else { return false };
        let old = String::from_utf8_lossy(old);
        let (go, text) = old.split_once('\n').unwrap_or((&old, ""));
        if matches!(module.path, STDLIB | TOOLCHAIN) {
            go_release(go) == module.version
        } else {
            modules(text).is_ok_and(|modules| modules.contains(module))
        }
    };
    let (namespace, name) = module.path.rsplit_once('/').unwrap_or(("", module.path));
    let version = if module.version == DEVEL { "" } else { module.version };
    Package {
        ecosystem: "golang".to_owned(),
        name: module.path.to_owned(),
        version: module.version.to_owned(),
        purl: Purl::new("golang", name).namespace(namespace).version(version).to_string(),
        source: None,
        architecture: None,
        licenses: Vec::new(),
        paths: vec![found.path.to_owned()],
        layer: origin::layer(tree, origin::since(found.file, same)),
        owner: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_go() {
        for (text, expected) in [
            ("go1.21.5", "1.21.5"),
            ("go1.21", "1.21"),
            ("go1.21rc2", "1.21.0-rc.2"),
            ("go1.9.2rc2", "1.9.2-rc.2"),
            ("go1.22.1 X:boringcrypto", "1.22.1"),
            ("go1.20.5-bigcorp", "1.20.5"),
            ("devel go1.23-abcdef Tue", DEVEL),
            ("devel +abc", DEVEL),
            ("go1.2\u{0}", DEVEL),
            ("", DEVEL),
        ] {
            assert_eq!(go_release(text), expected, "{text}");
        }
    }

    #[test]
    fn versions_that_builders_write() {
        for (flags, expected) in [
            ("\"-s -w -X main.Version=1.2.3\"", Some("1.2.3")),
            ("\"-X 'example.com/x/version.version=v2.0.0-rc.1' -X main.commit=abc\"", Some("v2.0.0-rc.1")),
            ("\"-X main.goversion=1.2.3\"", None),
            ("\"-X main.version=dev\"", None),
        ] {
            let text = format!("mod\tx\t(devel)\t\nbuild\t-ldflags={flags}\n");
            assert_eq!(stamped(&text), expected, "{flags}");
            let main = modules(&text).unwrap()[0].version.to_owned();
            assert_eq!(main, expected.unwrap_or(DEVEL), "{flags}");
        }
    }

    #[test]
    fn replacements_are_what_is_inside() {
        let text = "path\tx\nmod\tx\t(devel)\t\ndep\ta\tv1.0.0\th1:=\ndep\tb\tv2.0.0\n=>\tc/fork\tv2.0.1\th1:=\n\
                    dep\td\tv3.0.0\n=>\t./local\t\t\nbuild\tGOOS=linux\n";
        let found: Vec<_> =
            modules(text).unwrap().iter().map(|module| (module.path, module.version)).collect();
        assert_eq!(found, [("x", DEVEL), ("a", "v1.0.0"), ("c/fork", "v2.0.1"), ("d", DEVEL)]);
        assert!(modules("=>\ta\tv1\n").is_err());
        assert!(modules("dep\t\tv1\n").is_err());
    }
}
