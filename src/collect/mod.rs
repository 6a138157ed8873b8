//! Targets to snapshots: the machine underneath, files, record dumps. The only room below `cli` that does I/O.
//! Called by `cli`; knows `snapshot`, `facts` and `cpu` (leaves to words, prediction).
