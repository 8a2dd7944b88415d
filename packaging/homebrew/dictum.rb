# Untested: written from Homebrew's documentation and the names of its packages, on a machine that has no Homebrew.
# `tools/source_archive` makes the archive; set `url` to where it lies, and `sha256` to its checksum.
class Dictum < Formula
  desc "Recorder backend for voice applications"
  url "file:///tmp/dictum-0.1.0.tar.gz"
  version "0.1.0"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license "MIT"

  depends_on "cli11" => :build
  depends_on "cmake" => :build
  depends_on "ninja" => :build
  depends_on "pkgconf" => :build
  depends_on "tomlplusplus" => :build
  depends_on "boost"
  depends_on "ffmpeg"
  depends_on "fmt"
  depends_on "ftxui"
  depends_on "highway"
  depends_on "icu4c"
  depends_on "libsndfile"
  depends_on "libsoxr"
  depends_on "openssl@3"
  depends_on "portaudio"
  depends_on "pulseaudio"
  depends_on "whisper-cpp"
  uses_from_macos "curl"
  uses_from_macos "sqlite"

  def install
    system "cmake", "-S", ".", "-B", "build/release", "-G", "Ninja",
           "-DDICTUM_DEVELOPER=OFF", "-DDICTUM_APPS=ON", *std_cmake_args
    system "cmake", "--build", "build/release"
    system "cmake", "--install", "build/release", "--strip"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/dictum --version")
  end
end
