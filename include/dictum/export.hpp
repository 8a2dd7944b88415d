#pragma once

/// What the shared library shows to its users; everything else stays inside.
#define DICTUM_API __attribute__((visibility("default")))
