//! Bars on a terminal for what takes longer than a second; elsewhere nothing.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::console::Console;

/// What is done sooner needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// A bar that appears only when the work takes long.
#[derive(Debug)]
pub struct Bar {
    welcome: bool,
    started: Instant,
    bar: OnceLock<ProgressBar>,
    what: String,
    total: OnceLock<Option<u64>>,
    done: std::sync::atomic::AtomicU64,
}

impl Bar {
    /// For work called `what`; drawn only where `console` welcomes it.
    pub fn new(console: &Console, what: impl Into<String>) -> Self {
        Self {
            welcome: console.progress(),
            started: Instant::now(),
            bar: OnceLock::new(),
            what: what.into(),
            total: OnceLock::new(),
            done: std::sync::atomic::AtomicU64::new(0),
        }
    }

    /// How many bytes there are, where that is known.
    pub fn total(&self, bytes: Option<u64>) {
        let _ = self.total.set(bytes);
    }

    /// `bytes` more are done.
    pub fn advance(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed) + bytes;
        if self.welcome && self.started.elapsed() > PATIENCE {
            self.bar.get_or_init(|| self.draw()).set_position(done);
        }
    }

    /// The bar is taken away.
    pub fn end(&self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }

    fn draw(&self) -> ProgressBar {
        let total = self.total.get().copied().flatten();
        let template = if total.is_some() {
            "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}"
        } else {
            "{msg} {spinner} {bytes} {bytes_per_sec}"
        };
        let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
        bar.set_draw_target(ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(self.what.clone());
        bar
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.end();
    }
}

/// Shows how far reading an image is.
#[derive(Debug)]
pub struct LayerBar(Bar);

impl LayerBar {
    /// Drawn only where `console` welcomes it.
    pub fn new(console: &Console) -> Self {
        Self(Bar::new(console, "reading image"))
    }
}

impl boltseal_image::Progress for LayerBar {
    fn begin(&self, _layers: usize, bytes: Option<u64>) {
        self.0.total(bytes);
    }

    fn advance(&self, bytes: u64) {
        self.0.advance(bytes);
    }

    fn end(&self) {
        self.0.end();
    }
}
