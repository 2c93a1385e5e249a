//! What other servers on the same facts change: forgotten here as soon as they say so.

use boltseal_store::Topic;

use crate::{Registry, api::key};

impl Registry {
    /// Forgets what others change, for ever.
    pub(crate) async fn follow(self) {
        let inner = &self.0;
        let mut following = inner.facts.following();
        loop {
            match following.next().await {
                Topic::Repository(name) => {
                    let prefix = key(&name, "");
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
}
