"""``rtser serve``: many live streams over WebSockets, and files over HTTP, recognised by one thread with one Bank."""
