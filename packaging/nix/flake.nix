{
  # Untested: written from the documentation of Nix and the names of its packages, on a machine that has no Nix.
  # `nix build path:packaging/nix` in the source tree. The build has no network, so the detector's model has to be there
  # (`tools/get_silero_model`): give the flake the archive that `tools/source_archive` makes, unpacked, as `dictum-source`.
  description = "The recorder backend for voice applications";

  inputs.nixpkgs.url = "nixpkgs/nixos-unstable";
  inputs.dictum-source = {
    url = "path:../..";
    flake = false;
  };

  outputs = { self, nixpkgs, dictum-source }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" ];
      each = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
    in
    {
      packages = each (pkgs: {
        default = pkgs.clangStdenv.mkDerivation {
          pname = "dictum";
          version = "0.1.0";
          src = dictum-source;
          nativeBuildInputs = with pkgs; [ cmake ninja pkg-config ];
          buildInputs = with pkgs; [
            boost cli11 curl ffmpeg fmt ftxui icu libhwy libpulseaudio libsndfile openssl portaudio soxr
            sqlite tomlplusplus whisper-cpp
          ];
          cmakeFlags = [ "-DDICTUM_DEVELOPER=OFF" "-DDICTUM_APPS=ON" ];
        };
      });
    };
}
