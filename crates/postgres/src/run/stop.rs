//! Asking a run to end.

use tokio::sync::watch;

/// Becomes true once the run has to end.
#[derive(Clone, Debug)]
pub struct Stop(Option<watch::Receiver<bool>>);

impl Stop {
    /// Never.
    pub fn never() -> Self {
        Self(None)
    }

    /// When the sender sends `true`.
    pub fn when(receiver: watch::Receiver<bool>) -> Self {
        Self(Some(receiver))
    }

    /// Returns when the run has to end; never, when nobody can ask for it.
    pub async fn asked(&mut self) {
        if let Some(receiver) = &mut self.0
            && receiver.wait_for(|stop| *stop).await.is_ok()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}
