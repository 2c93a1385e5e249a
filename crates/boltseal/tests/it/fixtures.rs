//! Small images and feeds, made here, so that these tests run anywhere.

use boltseal_testkit::image::{Built, Image, Layer};

use crate::binary::User;

/// A moment at which the made releases are supported.
pub const NOW: &str = "2026-11-01T12:00:00Z";

/// Known to be exploited in the made KEV feed.
pub const EXPLOITED: &str = "CVE-2023-42366";

/// An Alpine image with this version of busybox (fixed in 1.36.1-r2) and a musl that nothing is known about.
pub fn alpine(busybox: &str) -> Built {
    alpine_image(busybox).build()
}

/// The same, to be built on.
pub fn alpine_image(busybox: &str) -> Image {
    Image::new().layer(alpine_layer(busybox))
}

/// Its only layer.
pub fn alpine_layer(busybox: &str) -> Layer {
    let release = "ID=alpine\nVERSION_ID=3.23.0\nPRETTY_NAME=\"Alpine Linux v3.23\"\n";
    let installed = [("busybox", busybox), ("musl", "1.2.5-r0")].map(|(name, version)| {
        format!("C:Q1abc=\nP:{name}\nV:{version}\nA:x86_64\nS:1\nI:1\nT:made for a test\nL:MIT\no:{name}\n\n")
    });
    Layer::new().dir("etc").file("etc/os-release", release).file("lib/apk/db/installed", installed.concat())
}

/// Writes the image as an OCI layout below the home folder and gives the target for it.
pub fn layout(user: &User, name: &str, image: &Built) -> String {
    image.write_oci(&user.home().join(name), None);
    format!("oci:{name}")
}

/// Writes feeds that know two vulnerabilities in busybox, one of them exploited, and gives their paths.
pub fn feeds(user: &User) -> Vec<String> {
    let secdb = r#"{"apkurl":"{{urlprefix}}/{{distroversion}}/{{reponame}}/{{arch}}/{{pkg.name}}-{{pkg.ver}}.apk",
        "archs":["x86_64"],"reponame":"main","urlprefix":"https://dl-cdn.alpinelinux.org/alpine",
        "distroversion":"v3.23","packages":[{"pkg":{"name":"busybox","secfixes":{
            "1.36.1-r1":["CVE-2023-42363"],"1.36.1-r2":["CVE-2023-42366"]}}}]}"#;
    let kev = r#"{"title":"CISA Catalog of Known Exploited Vulnerabilities","catalogVersion":"2026.10.30",
        "dateReleased":"2026-10-30T12:00:00.000Z","count":1,"vulnerabilities":[{"cveID":"CVE-2023-42366",
        "vendorProject":"BusyBox","product":"BusyBox","vulnerabilityName":"Overflow","dateAdded":"2026-10-01",
        "shortDescription":"A heap overflow.","requiredAction":"Apply updates.","dueDate":"2026-10-22",
        "knownRansomwareCampaignUse":"Known","notes":"","cwes":[]}]}"#;
    vec![user.write("v3.23/main.json", secdb), user.write("known_exploited_vulnerabilities.json", kev)]
}

/// A user who has imported [`feeds`] at [`NOW`].
pub fn user_with_feeds() -> User {
    let user = User::new();
    let mut args = vec!["feeds".to_owned(), "import".to_owned(), "--at".to_owned(), NOW.to_owned()];
    args.extend(feeds(&user));
    user.run(&args).ended(0);
    user
}

/// Imports [`feeds`] as if they were fetched now.
pub fn current_feeds(user: &User) {
    let mut args = vec!["feeds".to_owned(), "import".to_owned()];
    args.extend(feeds(user));
    user.run(&args).ended(0);
}
