//! What other servers on the same facts change: forgotten here as soon as they say so.

use boltseal_store::Topic;

use crate::{Registry, api::key};

impl Registry {
    /// Forgets what others change, for ever.
    pub(crate) async fn follow(self) {
        let mut following = self.0.facts.following();
        loop {
            self.forget(&following.next().await);
        }
    }

    /// Forgets what a change was about.
    fn forget(&self, topic: &Topic) {
        let inner = &self.0;
        match topic {
            Topic::Repository(name) => {
                let prefix = key(name, "");
                inner.manifests.forget_below(&prefix);
                inner.holders.forget_below(&prefix);
                // An image that was taken back out of the trash waits to be judged.
                inner.judging.wake();
            }
            Topic::Verdicts => inner.gate.forget_all(),
            Topic::Everything => {
                inner.manifests.forget_all();
                inner.holders.forget_all();
                inner.gate.forget_all();
                inner.upstreams.forget();
            }
            Topic::Settings => inner.upstreams.forget(),
            // Jobs are looked for every second; the others are about what is not remembered here.
            Topic::Jobs | Topic::Access | Topic::Entries(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use boltseal_api::upstreams::kinds;
    use boltseal_model::{Digest, Timestamp};
    use boltseal_store::{Document, Kind, NewManifest};

    use super::*;
    use crate::{bare::bare, route::Named};

    /// Names of repositories, each of which begins like the first.
    const REPOSITORIES: [&str; 3] = ["a", "a/b", "ab"];

    /// A registry that remembers something of everything, and facts that say something else by now.
    struct Past {
        registry: Registry,
        _folder: tempfile::TempDir,
    }

    fn manifest() -> Digest {
        Digest::of(b"{}")
    }

    fn layer() -> Digest {
        Digest::of(b"layer")
    }

    impl Past {
        async fn new() -> Self {
            let (registry, folder) = bare().await;
            let (facts, blobs) = (&registry.0.facts, &registry.0.blobs);
            for bytes in [&b"{}"[..], b"layer"] {
                blobs.put(bytes).unwrap();
            }
            for repository in REPOSITORIES {
                facts.add_blob(repository, &layer(), 5).await.unwrap();
                assert_eq!(facts.put_manifest(pushed(repository)).await.unwrap(), []);
            }
            let this = Self { registry, _folder: folder };
            assert_eq!(this.remembered().await, Vec::<String>::new(), "facts are as they are remembered");
            this.change().await;
            this
        }

        /// As another server would: without a word to this one.
        async fn change(&self) {
            let facts = &self.registry.0.facts;
            for repository in REPOSITORIES {
                assert!(facts.remove_manifest(repository, &manifest()).await.unwrap());
                assert!(facts.remove_blob(repository, &layer()).await.unwrap());
                let decided =
                    r#"{"state":"Failed","details":"","by":"alice","by_id":"1","at":"2026-01-01T00:00:00Z"}"#;
                facts.set_quarantine(repository, &manifest(), Some(decided.to_owned())).await.unwrap();
            }
            let body = r#"{"name":"x","prefix":"cache","host":"r.example","ttl":3600}"#.to_owned();
            let document =
                Document { kind: kinds::UPSTREAM.to_owned(), id: "x".to_owned(), body: Some(body) };
            facts.change_settings(vec![document]).await.unwrap();
        }

        /// What is answered from memory though it is different by now, or absent.
        async fn remembered(&self) -> Vec<String> {
            let (inner, mut found) = (&self.registry.0, Vec::new());
            let gone = inner.facts.manifest("a", &manifest()).await.unwrap().is_none();
            for repository in REPOSITORIES {
                for name in [Named::Tag("v1".to_owned()), Named::Digest(manifest())] {
                    if inner.held(repository, &name).await.unwrap().is_some() && gone {
                        found.push(format!("{repository} manifest"));
                    }
                }
                if inner.blob(repository, &layer()).await.unwrap().is_some() && gone {
                    found.push(format!("{repository} blob"));
                }
                if inner.gate.decision(repository, &manifest()).await.unwrap().is_none() && gone {
                    found.push(format!("{repository} decision"));
                }
            }
            if inner.upstreams.of("cache/app").await.unwrap().is_none() && gone {
                found.push("upstreams".to_owned());
            }
            found.dedup();
            found
        }
    }

    fn pushed(repository: &str) -> NewManifest {
        NewManifest {
            repository: repository.to_owned(),
            digest: manifest(),
            media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
            size: 2,
            place: String::new(),
            content_size: 5,
            kind: Kind::Artifact,
            platform: None,
            subject: None,
            artifact_type: None,
            annotations: None,
            about: None,
            blobs: vec![layer()],
            manifests: Vec::new(),
            tags: vec!["v1".to_owned()],
            by: None,
            at: Timestamp::now(),
        }
    }

    #[tokio::test]
    async fn a_topic_forgets_what_it_is_about_and_nothing_else() {
        let all = [
            "a manifest",
            "a blob",
            "a decision",
            "a/b manifest",
            "a/b blob",
            "a/b decision",
            "ab manifest",
            "ab blob",
            "ab decision",
            "upstreams",
        ];
        let is_about = |topic: &Topic, what: &str| match topic {
            Topic::Repository(name) => {
                what.strip_prefix(name.as_str()).is_some_and(|rest| matches!(rest, " manifest" | " blob"))
            }
            Topic::Verdicts => what.ends_with(" decision"),
            Topic::Settings => what == "upstreams",
            Topic::Everything => true,
            Topic::Jobs | Topic::Access | Topic::Entries(_) => false,
        };
        for topic in [
            Topic::Repository("a".to_owned()),
            Topic::Repository("ab".to_owned()),
            Topic::Repository("b".to_owned()),
            Topic::Verdicts,
            Topic::Settings,
            Topic::Everything,
            Topic::Jobs,
            Topic::Access,
            Topic::Entries(7),
        ] {
            let past = Past::new().await;
            past.registry.forget(&topic);
            let expected: Vec<_> = all.into_iter().filter(|what| !is_about(&topic, what)).collect();
            assert_eq!(past.remembered().await, expected, "{topic:?}");
        }
    }
}
