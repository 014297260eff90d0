//! What the contents of files say: each is looked at once, by whoever needs it first, or ahead of
//! that by other threads. What claims spread to is visited in an order of its own; what is not yet
//! visited is known long before.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::Scope;

use crate::account::Account;
use crate::account::looked::{Failed, Look};
use crate::content::Content;
use crate::error::Result;

/// The contents of an account's payloads.
pub(crate) struct Contents<'a> {
    account: &'a Account,
    /// By payload: several names may lead to one.
    looked: &'a [Look],
    ahead: Mutex<Ahead>,
    changed: Condvar,
}

/// What other threads are to look at.
#[derive(Default)]
struct Ahead {
    /// Whether there are such threads.
    is_open: bool,
    /// Those that wait for something to look at: to wake one costs more than to look at a small file.
    waiting: usize,
    payloads: VecDeque<u32>,
}

/// While this lives, threads look at what will be asked for.
pub(crate) struct Readers<'c, 'a>(&'c Contents<'a>);

impl<'a> Contents<'a> {
    pub(crate) fn new(account: &'a Account) -> Self {
        let looked = account.looked.rows(account.payloads.len());
        Self { account, looked, ahead: Mutex::default(), changed: Condvar::new() }
    }

    /// What the content of a payload says; `None` where it says nothing. While another thread looks
    /// at it, this one looks at what will be asked for soonest.
    pub(crate) fn get(&self, payload: u32) -> Result<Option<Arc<Content>>> {
        let asked = &self.looked[payload as usize];
        while !asked.begins() && asked.found.get().is_none() {
            let Some(other) = self.ahead().payloads.pop_back() else { break };
            self.look_ahead(other);
        }
        self.look(payload)
    }

    /// Looks at a payload for whoever will ask, unless somebody does or has. An error is told to them.
    fn look_ahead(&self, payload: u32) {
        if self.looked[payload as usize].begins() {
            let _ = self.look(payload);
        }
    }

    /// What the content of a payload says; waits for whoever looks at it.
    fn look(&self, payload: u32) -> Result<Option<Arc<Content>>> {
        let mut failed = None;
        let look = || {
            self.account.content(payload).map_err(|error| {
                failed = Some(error);
                Failed
            })
        };
        match self.looked[payload as usize].found.get_or_init(look) {
            Ok(content) => Ok(content.clone()),
            Err(Failed) => match failed {
                Some(error) => Err(error),
                // It failed for somebody else: told in the words of now.
                None => self.account.content(payload),
            },
        }
    }

    /// The same, if somebody has looked at it.
    pub(crate) fn known(&self, payload: u32) -> Option<&Option<Arc<Content>>> {
        self.looked[payload as usize].found.get()?.as_ref().ok()
    }

    /// Says that [`Self::get`] will be asked for a payload.
    pub(crate) fn announce(&self, payload: u32) {
        if self.looked[payload as usize].found.get().is_some()
            || !self.account.is_read_late(payload)
        {
            return;
        }
        let mut ahead = self.ahead();
        if ahead.is_open {
            ahead.payloads.push_back(payload);
            // One alone will be asked for at once.
            if ahead.waiting > 0 && ahead.payloads.len() > 1 {
                self.changed.notify_one();
            }
        }
    }

    /// Starts all but one of `jobs` threads.
    pub(crate) fn read_ahead<'scope, 'c>(
        &'c self,
        scope: &'scope Scope<'scope, '_>,
        jobs: NonZeroUsize,
    ) -> Readers<'c, 'a>
    where
        'c: 'scope,
    {
        self.ahead().is_open = jobs.get() > 1;
        for _ in 1..jobs.get() {
            scope.spawn(|| {
                while let Some(payload) = self.next() {
                    self.look_ahead(payload);
                }
            });
        }
        Readers(self)
    }

    /// The payload that was announced first, which will be asked for last; waits for one.
    fn next(&self) -> Option<u32> {
        let mut ahead = self.ahead();
        loop {
            if !ahead.is_open {
                return None;
            }
            if let Some(payload) = ahead.payloads.pop_front() {
                return Some(payload);
            }
            ahead.waiting += 1;
            ahead = self.changed.wait(ahead).unwrap_or_else(PoisonError::into_inner);
            ahead.waiting -= 1;
        }
    }

    fn ahead(&self) -> std::sync::MutexGuard<'_, Ahead> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Readers<'_, '_> {
    fn drop(&mut self) {
        let mut ahead = self.0.ahead();
        ahead.is_open = false;
        ahead.payloads.clear();
        drop(ahead);
        self.0.changed.notify_all();
    }
}
