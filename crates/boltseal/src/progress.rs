//! Bars on a terminal for what takes longer than a second; elsewhere nothing.

use std::{
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    console::Console,
    output::paint::{clean, cut},
};

/// What is done sooner needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// A bar that appears only when the work takes long.
#[derive(Debug)]
pub struct Bar {
    welcome: bool,
    started: Instant,
    drawn: OnceLock<ProgressBar>,
    what: String,
    unit: Unit,
    total: OnceLock<Option<u64>>,
    /// What is known so far to be to do, where that becomes known little by little.
    planned: AtomicU64,
    done: AtomicU64,
}

/// What is counted.
#[derive(Clone, Copy, Debug)]
enum Unit {
    Bytes,
    Things,
}

impl Bar {
    /// For work called `what`, measured in bytes; drawn only where `console` welcomes it.
    pub fn new(console: &Console, what: impl Into<String>) -> Self {
        Self::of(console, what.into(), Unit::Bytes)
    }

    /// The same for work that is counted.
    pub fn counting(console: &Console, what: impl Into<String>) -> Self {
        Self::of(console, what.into(), Unit::Things)
    }

    fn of(console: &Console, what: String, unit: Unit) -> Self {
        Self {
            welcome: console.progress(),
            started: Instant::now(),
            drawn: OnceLock::new(),
            what,
            unit,
            total: OnceLock::new(),
            planned: AtomicU64::new(0),
            done: AtomicU64::new(0),
        }
    }

    /// All in all `done` are done.
    pub fn reach(&self, done: u64) {
        self.advance(done.saturating_sub(self.done.load(Ordering::Relaxed)));
    }

    /// How many there are, where that is known.
    pub fn total(&self, all: Option<u64>) {
        let _ = self.total.set(all);
    }

    /// So many more are to do than was known.
    pub fn plan(&self, more: u64) {
        let planned = self.planned.fetch_add(more, Ordering::Relaxed) + more;
        if let Some(bar) = self.drawn.get() {
            bar.set_length(planned);
        }
    }

    /// So many more are done.
    pub fn advance(&self, more: u64) {
        let done = self.done.fetch_add(more, Ordering::Relaxed) + more;
        if self.welcome && self.started.elapsed() > PATIENCE {
            self.drawn.get_or_init(|| self.draw()).set_position(done);
        }
    }

    /// The bar is taken away.
    pub fn end(&self) {
        if let Some(bar) = self.drawn.get() {
            bar.finish_and_clear();
        }
    }

    fn draw(&self) -> ProgressBar {
        let planned = Some(self.planned.load(Ordering::Relaxed)).filter(|planned| *planned > 0);
        let total = self.total.get().copied().flatten().or(planned);
        let template = match (self.unit, total.is_some()) {
            (Unit::Bytes, true) => "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
            (Unit::Bytes, false) => "{msg} {spinner} {bytes} {bytes_per_sec}",
            (Unit::Things, true) => "{msg} {bar:30} {human_pos}/{human_len} {per_sec} {eta}",
            (Unit::Things, false) => "{msg} {spinner} {human_pos} {per_sec}",
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
pub struct LayerBar {
    bar: Bar,
    console: Console,
}

impl LayerBar {
    /// Drawn only where `console` welcomes it.
    pub fn new(console: &Console) -> Self {
        Self { bar: Bar::new(console, "reading image"), console: console.clone() }
    }
}

impl boltseal_image::Progress for LayerBar {
    fn begin(&self, _layers: usize, bytes: Option<u64>) {
        self.bar.total(bytes);
    }

    fn advance(&self, bytes: u64) {
        self.bar.advance(bytes);
    }

    fn whole(&self, layer: &str, why: &str) {
        self.console.note(format_args!("layer {layer} is read whole: {}", clean(why)));
    }

    fn end(&self) {
        self.bar.end();
    }
}

/// Shows how far a copy is.
#[derive(Debug)]
pub struct CopyBar(Bar);

impl CopyBar {
    /// Drawn only where `console` welcomes it.
    pub fn new(console: &Console) -> Self {
        Self(Bar::new(console, "copying"))
    }
}

impl boltseal_image::remote::copy::Progress for CopyBar {
    fn plan(&self, bytes: u64) {
        self.0.plan(bytes);
    }

    fn advance(&self, bytes: u64) {
        self.0.advance(bytes);
    }
}

/// Shows that something is going on, where nobody can say how far it is.
#[derive(Debug)]
pub struct Spinner(Option<ProgressBar>);

impl Spinner {
    /// Drawn only where `console` welcomes it.
    pub fn new(console: &Console, what: &str) -> Self {
        let bar = console.progress().then(|| {
            let bar = ProgressBar::new_spinner();
            bar.set_message(what.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self(bar)
    }

    /// It is taken away.
    pub fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.end();
    }
}

/// One bar after the other: files of an import, feeds of an update.
#[derive(Debug)]
pub struct FeedBars {
    console: Console,
    current: Mutex<Option<Bar>>,
}

impl FeedBars {
    /// Drawn only where `console` welcomes them.
    pub fn new(console: &Console) -> Self {
        Self { console: console.clone(), current: Mutex::new(None) }
    }

    /// A panic elsewhere does not make a bar dangerous.
    fn current(&self) -> MutexGuard<'_, Option<Bar>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl boltseal_feed::Progress for FeedBars {
    fn begin(&self, what: &str, total: Option<u64>) {
        let bar = Bar::new(&self.console, cut(what, 40));
        bar.total(total);
        *self.current() = Some(bar);
    }

    fn advance(&self, bytes: u64) {
        if let Some(bar) = &*self.current() {
            bar.advance(bytes);
        }
    }

    fn end(&self, _what: &str) {
        *self.current() = None;
    }
}
