//! Images, feeds and peers for tests.
