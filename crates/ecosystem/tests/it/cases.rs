//! Package files with known answers, made by others.

use std::collections::{BTreeMap, BTreeSet};

use boltseal_ecosystem::{catalog, lock};
use boltseal_model::GapKind;
use serde_json::Value;

use crate::shared::{self, Builder};

const CASES: &str = "data/fixtures/catalog-scalibr.tar.zst";

/// Cases whose expectation is not ours, each with the reason. Reviewed.
const EXCEPTIONS: &str = include_str!("data/catalog-exceptions.txt");

/// Kinds of cases that are not read, each with the reason. Reviewed.
const KINDS: &str = include_str!("data/catalog-kinds.txt");

/// Folder of cases, ecosystem, and where a file of that folder lies; `*` is the file's own name. A place that starts with
/// `+` lies in a folder of source code, together with the files beside it; any other in an image.
const PLACES: &[(&str, &str, &str)] = &[
    ("os/dpkg/testdata/dpkg/status.d/", "debian", "var/lib/dpkg/status.d/*"),
    ("os/dpkg/testdata/opkg/", "debian", "usr/lib/opkg/status"),
    ("os/chisel/testdata/", "debian", "var/lib/chisel/manifest.wall"),
    ("os/pacman/testdata/", "arch", "var/lib/pacman/local/*-1/desc"),
    ("os/portage/testdata/", "gentoo", "var/db/pkg/dev-perl/*-1/PF"),
    ("os/dpkg/testdata/", "debian", "var/lib/dpkg/status"),
    ("os/apk/testdata/", "alpine", "lib/apk/db/installed"),
    ("os/rpm/testdata/", "rpm", "var/lib/rpm/Packages"),
    ("language/cpp/conanlock/testdata/", "conan", "+conan.lock"),
    ("language/dart/pubspec/testdata/", "pub", "+pubspec.lock"),
    ("language/dotnet/depsjson/testdata/", "nuget", "app/app.deps.json"),
    ("language/dotnet/packagesconfig/testdata/", "nuget", "+packages.config"),
    ("language/dotnet/packageslockjson/testdata/", "nuget", "+packages.lock.json"),
    ("language/dotnet/paketlock/testdata/", "nuget", "+paket.lock"),
    ("language/dotnet/projectassetsjson/testdata/", "nuget", "+obj/project.assets.json"),
    ("language/elixir/mixlock/testdata/", "hex", "+mix.lock"),
    ("language/erlang/mixlock/testdata/", "hex", "+mix.lock"),
    ("language/golang/gobinary/testdata/", "golang", "usr/bin/*"),
    ("language/golang/gomod/testdata/", "golang", "+go.mod"),
    ("language/golang/vendormodules/testdata/", "golang", "+vendor/modules.txt"),
    ("language/haskell/cabal/testdata/", "hackage", "+cabal.project.freeze"),
    ("language/haskell/stacklock/testdata/", "hackage", "+stack.yaml.lock"),
    ("language/java/archive/testdata/", "maven", "opt/*"),
    ("language/java/gradlelockfile/testdata/", "maven", "+gradle.lockfile"),
    ("language/java/gradleverificationmetadataxml/testdata/", "maven", "+gradle/verification-metadata.xml"),
    ("language/java/pomxml/testdata/", "maven", "+pom.xml"),
    ("language/javascript/bunlock/testdata/", "npm", "+bun.lock"),
    ("language/javascript/packagejson/testdata/", "npm", "app/package.json"),
    ("language/javascript/packagelockjson/testdata/", "npm", "+package-lock.json"),
    ("language/javascript/pnpmlock/testdata/", "npm", "+pnpm-lock.yaml"),
    ("language/javascript/yarnlock/testdata/", "npm", "+yarn.lock"),
    ("language/julia/manifesttoml/testdata/", "julia", "+Manifest.toml"),
    ("language/php/composerlock/testdata/", "packagist", "+composer.lock"),
    ("language/python/condameta/testdata/", "conda", "opt/conda/conda-meta/x.json"),
    ("language/python/pdmlock/testdata/", "pypi", "+pdm.lock"),
    ("language/python/pipfilelock/testdata/", "pypi", "+Pipfile.lock"),
    ("language/python/poetrylock/testdata/", "pypi", "+poetry.lock"),
    ("language/python/pylock/testdata/", "pypi", "+pylock.toml"),
    ("language/python/requirements/testdata/", "pypi", "+requirements.txt"),
    ("language/python/uvlock/testdata/", "pypi", "+uv.lock"),
    ("language/python/wheelegg/testdata/egginfo", "pypi", "usr/lib/python3/dist-packages/x.egg-info"),
    ("language/python/wheelegg/testdata/monotonic", "pypi", "usr/lib/python3/dist-packages/*"),
    ("language/python/wheelegg/testdata/", "pypi", "usr/lib/python3/dist-packages/x.dist-info/METADATA"),
    ("language/r/renvlock/testdata/", "cran", "+renv.lock"),
    ("language/ruby/gemfilelock/testdata/", "rubygems", "+Gemfile.lock"),
    ("language/ruby/gemspec/testdata/", "rubygems", "+*"),
    ("language/rust/cargoauditable/testdata/", "cargo", "usr/bin/*"),
    ("language/rust/cargolock/testdata/", "cargo", "+Cargo.lock"),
    ("language/swift/packageresolved/testdata/", "swift", "+Package.resolved"),
    ("language/swift/podfilelock/testdata/", "cocoapods", "+Podfile.lock"),
];

/// Cases that hold, exceptions, and all of one kind.
#[derive(Default)]
struct Score(usize, usize, usize);

#[test]
fn cases_of_scalibr() {
    let Some(files) = shared::archive(CASES) else { return };
    let cases: serde_json::Map<String, Value> =
        serde_json::from_slice(&files["catalog/expected.json"]).unwrap();
    let mut scores: BTreeMap<&str, Score> = BTreeMap::new();
    let mut problems = Vec::new();
    for (name, case) in &cases {
        let relative = name.strip_prefix("extractor/filesystem/").unwrap();
        let kind = relative.split("/testdata/").next().unwrap();
        let score = scores.entry(kind).or_default();
        score.2 += 1;
        let Some((_, ecosystem, place)) = PLACES.iter().find(|(folder, _, _)| relative.starts_with(folder))
        else {
            continue;
        };
        let problem = check(case, &found(&files, name, case, place, ecosystem));
        let excepted = EXCEPTIONS.lines().any(|line| line.split('\t').next() == Some(relative));
        match (problem, excepted) {
            (None, false) => score.0 += 1,
            (Some(_), true) => score.1 += 1,
            (None, true) => problems.push(format!("{relative}: passes, remove the exception")),
            (Some(problem), false) => problems.push(format!("{relative}: {problem}")),
        }
    }
    for (kind, Score(held, excepted, all)) in &scores {
        let reason = KINDS.lines().find_map(|line| line.split_once('\t').filter(|(name, _)| name == kind));
        let read = held + excepted > 0;
        eprintln!(
            "{kind}: {held} of {all} hold, {excepted} exceptions {}",
            reason.map_or("", |(_, why)| why)
        );
        if read == reason.is_some() && problems.is_empty() {
            problems.push(format!("{kind}: either read it or say why not"));
        }
    }
    let (held, all) = scores.values().fold((0, 0), |sum, score| (sum.0 + score.0, sum.1 + score.2));
    eprintln!("catalog: {held} of {all} cases of {} kinds hold", scores.len());
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    assert!(held >= 215, "only {held} cases hold");
}

/// Names and versions in a file, and whether something was refused.
type Found = (BTreeSet<(String, String)>, bool);

fn found(files: &BTreeMap<String, Vec<u8>>, name: &str, case: &Value, place: &str, ecosystem: &str) -> Found {
    let file = format!("catalog/{}", name.split('#').next().unwrap());
    let (folder, own_name) = file.rsplit_once('/').unwrap();
    let content = &files[&file];
    let place = place.replace('*', own_name);
    let Some(place) = place.strip_prefix('+') else {
        let tree = Builder::default()
            .layer()
            .file("etc/os-release", os_release(case))
            .with_mode(&place, 0o755, content)
            .tree();
        let found = catalog(&tree);
        let packages = found.packages.iter().filter(|package| package.ecosystem == ecosystem);
        let refused = found.gaps.iter().any(|gap| gap.kind == GapKind::FileNotParsed);
        return (packages.map(|package| (package.name.clone(), package.version.clone())).collect(), refused);
    };
    let beside = files
        .iter()
        .filter_map(|(path, content)| Some((path.strip_prefix(folder)?.strip_prefix('/')?, content)));
    let tree = beside.fold(Builder::default().folder(), |tree, (path, content)| tree.file(path, content));
    // The sums of a module are called after its file there.
    let sums = files.get(&file.replace(".mod", ".sum")).filter(|_| ecosystem == "golang");
    let tree = sums.into_iter().fold(tree, |tree, sums| tree.file("go.sum", sums));
    let tree = tree.file(place, content).tree();
    let (pins, problem) = lock::pins(&tree, place).unwrap();
    // Go writes versions with a `v`, the cases without.
    let version = |version: &str| match ecosystem {
        "golang" => version.strip_prefix('v').unwrap_or(version).to_owned(),
        _ => version.to_owned(),
    };
    (pins.iter().map(|pin| (pin.name.clone(), version(&pin.version))).collect(), problem.is_some())
}

fn os_release(case: &Value) -> String {
    match case["os_release"].as_str() {
        None | Some("DebianBookworm" | "OpkgRelease") => "ID=debian\nVERSION_ID=\"12\"\n".to_owned(),
        Some(literal) => literal.trim_matches(['`', '"']).to_owned(),
    }
}

/// What differs from the expectation.
fn check(case: &Value, (packages, refused): &Found) -> Option<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let listed = case["packages"].as_array().unwrap().iter();
    let expected: BTreeSet<_> = listed.map(|package| (text(&package[0]), text(&package[1]))).collect();
    if *packages != expected {
        let more: Vec<_> = packages.difference(&expected).collect();
        let less: Vec<_> = expected.difference(packages).collect();
        return Some(format!("not expected: {more:?}, not found: {less:?}, refused: {refused}"));
    }
    (case["error"] == true && !refused).then(|| "should have been refused".to_owned())
}

/// Repositories of Trivy's end-to-end tests, and what they pin or hold, without what only development needs.
const REPOSITORIES: &str = include_str!("data/repositories.txt");

#[test]
fn repositories_of_trivy() {
    let Some(files) = shared::archive("data/fixtures/trivy-e2e.tar.zst") else { return };
    let mut trees: BTreeMap<&str, Builder> = BTreeMap::new();
    for (path, bytes) in &files {
        let Some((repository, path)) =
            path.strip_prefix("trivy-e2e/repo/").and_then(|path| path.split_once('/'))
        else {
            continue;
        };
        let tree = trees.remove(repository).unwrap_or_else(|| Builder::default().folder());
        trees.insert(repository, tree.file(path, bytes));
    }
    assert_eq!(trees.len(), 15);
    let mut lines = String::new();
    for (repository, tree) in trees {
        let found = catalog(&tree.tree());
        assert_eq!(found.gaps, [], "{repository}");
        let names: BTreeSet<_> = found.packages.iter().map(|package| package.purl.as_str()).collect();
        lines.extend(names.iter().map(|purl| format!("{repository}\t{purl}\n")));
    }
    let (_, expected) = REPOSITORIES.split_once('\n').unwrap();
    assert_eq!(lines, expected);
}
