//! Judging an image of which some layers were judged before, as part of another.

use std::{
    io::Read,
    sync::{Arc, Mutex},
};

use boltseal_flow::Cache;
use boltseal_image::{Blobs, Error};
use boltseal_model::Digest;
use boltseal_policy::Policy;
use boltseal_registry::{FlowJudge, Judge as _, Request};
use boltseal_store::Outcome;
use boltseal_testkit::image::{Built, Image, Layer, estargz};

/// Notes which blobs are opened.
struct Noted<'b>(&'b Built, Mutex<Vec<Digest>>);

impl Blobs for Noted<'_> {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + Send + '_>, Error> {
        self.1.lock().unwrap().push(digest.clone());
        Ok(Box::new(self.0.blobs[digest].as_slice()))
    }

    fn stretch(
        &self,
        _: &Digest,
        _: std::ops::Range<u64>,
    ) -> Result<Option<Box<dyn Read + Send + '_>>, Error> {
        panic!("the gate reads whole layers, whatever tables they have")
    }
}

/// What the judge says of `built`, without the time, and which layers were opened for it.
fn judged(judge: &FlowJudge, built: &Built) -> (String, Vec<usize>) {
    let noted = Noted(built, Mutex::default());
    let (digest, media_type) = (&built.manifest, built.media_type);
    let beside = boltseal_registry::Beside::default();
    let outcome =
        judge.judge(&Request { digest, media_type, repository: "app", blobs: &noted, beside: &beside });
    let Outcome::Judged { mut report, catalog_gaps } = outcome else { panic!("{outcome:?}") };
    report.verdict = None;
    let opened = noted.1.into_inner().unwrap();
    let layers = built
        .layers()
        .iter()
        .enumerate()
        .filter(|(_, layer)| opened.contains(layer))
        .map(|(at, _)| at)
        .collect();
    (format!("{report:?} {catalog_gaps:?}"), layers)
}

#[test]
fn only_new_layers_are_read() {
    let status = |name: &str| {
        format!("Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n")
    };
    let base = Layer::new()
        .file("etc/os-release", "ID=debian\nVERSION_ID=12\n")
        .file("var/lib/dpkg/status", status("libc6"))
        .file("etc/secret", "api_key = 9f8d7c6b5a4e3d2c1b0a\n");
    let base = || Image::new().seekable(estargz(&base, 1 << 20, &|_| {}));
    let application = base()
        .layer(
            Layer::new()
                .file("var/lib/dpkg/status", status("libc6") + &status("more"))
                .whiteout("etc/secret"),
        )
        .build();
    let other = base().layer(Layer::new().file("app/.env", "DB_PASSWORD=qjzw7Rkx2b\n")).build();
    let base = base().build();

    let folder = tempfile::tempdir().unwrap();
    let new = || FlowJudge::new("127.0.0.1:5000", None, Arc::new(Policy::built_in().clone()));
    let (plain, caching) = (new(), new().with_cache(Cache::at(folder.path())));
    for (built, read) in
        [(&base, vec![0]), (&application, vec![1]), (&other, vec![1]), (&application, vec![])]
    {
        let (expected, all) = judged(&plain, built);
        assert_eq!(all.len(), built.layers().len());
        assert_eq!(judged(&caching, built), (expected, read));
    }
}
