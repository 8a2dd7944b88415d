// A module that has no source file yet.
