//! The router as a whole, over a real store with sample images; and what a browser makes of it.

mod access;
mod api;
mod app;
mod browser;
mod html;
mod pages;
mod sample;
mod sign_in;
