#include "models/model_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include "base/model_folders.hpp"
#include "base/private_folders.hpp"
#include "base/unique_fd.hpp"
#include "base/utf8.hpp"
#include "base/xdg.hpp"
#include "dictum/error.hpp"
#include "dictum/text.hpp"
#include "digest/sha256.hpp"
#include "http/transfer.hpp"

namespace dictum::models {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlock = std::size_t{1} << 20;
constexpr double kRounding = 1.05;  // how far a rounded size may be from the true one
constexpr long kOK = 200;
constexpr long kPartialContent = 206;
constexpr long kRangeNotSatisfiable = 416;

fs::path part_of(const fs::path& file) {
  return file.string() + ".part";
}

std::uint64_t size_of(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  return error ? 0 : size;
}

std::uint64_t largest(const Model& model) {
  return static_cast<std::uint64_t>(static_cast<double>(model.size) * kRounding);
}

/// "huggingface.co" of "https://huggingface.co/…": the server's name for a person.
std::string host_of(std::string_view address) {
  const auto scheme = address.find("://");
  if (scheme != std::string_view::npos) address.remove_prefix(scheme + 3);
  address = address.substr(0, address.find('/'));
  return std::string(address.substr(address.find('@') == std::string_view::npos ? 0 : address.find('@') + 1));
}

[[noreturn]] void no_place() {
  throw RecorderError(Errc::output_unwritable,
                      "There is no place for models: set HOME, XDG_DATA_HOME or DICTUM_MODELS_DIR.");
}

[[noreturn]] void cannot_write(const fs::path& file, int error) {
  throw RecorderError(error == ENOSPC || error == EDQUOT ? Errc::disk_full : Errc::output_unwritable,
                      fmt::format("{} cannot be written: {}", file.string(), std::strerror(error)));
}

std::string checksum(const fs::path& file, const Progress& progress, const std::stop_token& cancelled) {
  const UniqueFD in(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!in)
    throw RecorderError(Errc::model_missing, fmt::format("{} cannot be read: {}", file.string(), std::strerror(errno)));
  const std::uint64_t all = size_of(file);
  digest::SHA256 sum;
  std::string block(kBlock, '\0');
  for (std::uint64_t done = 0;;) {
    if (cancelled.stop_requested()) throw RecorderError(Errc::cancelled, "checking the model was cancelled");
    const ssize_t got = ::read(in.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      throw RecorderError(Errc::model_missing,
                          fmt::format("{} cannot be read: {}", file.string(), std::strerror(errno)));
    if (got == 0) return sum.hex();
    sum.add(std::string_view(block).substr(0, static_cast<std::size_t>(got)));
    done += static_cast<std::uint64_t>(got);
    if (progress) progress(done, all);
  }
}

}  // namespace

/// One model on its way: the file that grows and the connections that feed it. Lives for one call of `pull`, which owns
/// it. The file is locked, so that two processes never write one.
class ModelStore::Download {
 public:
  Download(const ModelStore& store, const Model& model, const Progress& progress, std::stop_token cancelled)
      : store_(store),
        model_(model),
        part_(part_of(store.own_path(model))),
        progress_(progress),
        cancelled_(std::move(cancelled)) {
    if (store.folder_.empty()) no_place();
    if (const auto error = make_private_folders(store.folder_)) cannot_write(store.folder_, error.value());
    file_ = UniqueFD(::open(part_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644));
    if (!file_) cannot_write(part_, errno);
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
      throw RecorderError(Errc::output_unwritable,
                          fmt::format("{} is being downloaded by another process", model.name));
    }
    // The one that had the lock before may have finished, and what is open is then no longer what has the name.
    struct stat opened{};
    struct stat named{};
    if (::fstat(file_.get(), &opened) != 0 || ::stat(part_.c_str(), &named) != 0 || opened.st_ino != named.st_ino) {
      throw RecorderError(Errc::output_unwritable,
                          fmt::format("{} was downloaded by another process: try again", model.name));
    }
  }

  void run() {
    make_room();
    fetch();
    const std::string sum = checksum(part_, {}, cancelled_);
    if (sum != model_.sha256) {
      start_anew();
      ::unlink(part_.c_str());
      throw RecorderError(
          Errc::model_missing,
          fmt::format("what {} sent for {} is not the publisher's file (its SHA-256 is {}): it was thrown away",
                      host_of(store_.address_), model_.name, sum));
    }
    if (::fsync(file_.get()) != 0) cannot_write(part_, errno);
    std::error_code error;
    fs::rename(part_, store_.own_path(model_), error);
    if (error) cannot_write(store_.own_path(model_), error.value());
  }

 private:
  void make_room() {
    have_ = size_of(part_);
    if (have_ > largest(model_)) start_anew();
    std::error_code error;
    const auto space = fs::space(store_.folder_, error);
    if (!error && space.available + have_ < model_.size) {
      throw RecorderError(Errc::disk_full,
                          fmt::format("{} needs {} in {}, and {} are free", model_.name, size_text(model_.size),
                                      store_.folder_.string(), size_text(space.available)));
    }
  }

  /// Connections, one after another, for as long as they bring something new.
  void fetch() {
    for (int idle = 0;;) {
      const std::uint64_t before = have_;
      std::optional<http::TransferError> trouble;
      try {
        if (connection()) return;
      } catch (const http::TransferError& error) {
        if (error.kind() == http::TransferError::Kind::unreachable ||
            error.kind() == http::TransferError::Kind::refused)
          throw translated(error);
        if (error.kind() == http::TransferError::Kind::cancelled) throw translated(error);
        trouble = error;
      }
      idle = have_ > before ? 0 : idle + 1;
      if (idle >= store_.patience_.attempts) {
        throw translated(trouble.value_or(
            http::TransferError(http::TransferError::Kind::broken, "it does not go on where it stopped")));
      }
    }
  }

  /// True where the file is complete, as far as the server knows.
  bool connection() {
    http::Request request;
    request.url = fmt::format("{}/{}", store_.address_, model_.file_name());
    request.redirects = 5;  // the publisher's address names its store
    request.resume_from = have_;
    request.connect_timeout = store_.patience_.connect;
    request.stall_timeout = store_.patience_.stall;
    bool first = true;
    const auto response = http::transfer(
        request,
        [&](const http::Response& head, std::string_view piece) {
          if (head.status != kOK && head.status != kPartialContent) return true;  // a page that says why not
          if (std::exchange(first, false)) begin_body(head);
          write(piece);
          return have_ <= largest(model_);
        },
        cancelled_);
    if (response.status == kOK || response.status == kPartialContent) return true;
    if (response.status == kRangeNotSatisfiable && have_ > 0) {
      // All of it came before, or something else did: the checksum decides.
      if (checksum(part_, {}, cancelled_) == model_.sha256) return true;
      start_anew();
      return false;
    }
    throw RecorderError(Errc::model_missing,
                        fmt::format("{} answers {} for {}", host_of(store_.address_), response.status, model_.name));
  }

  void begin_body(const http::Response& head) {
    if (head.status == kOK && have_ > 0) start_anew();  // it sends all of it again
    if (head.status == kPartialContent && head.range_start != have_) {
      throw RecorderError(Errc::model_missing, fmt::format("{} sent another part of {} than asked for",
                                                           host_of(store_.address_), model_.name));
    }
    all_ = head.length ? have_ + *head.length : model_.size;
    if (all_ > largest(model_)) {
      throw RecorderError(Errc::model_missing, fmt::format("{} offers {} bytes for {}, which has about {}",
                                                           host_of(store_.address_), all_, model_.name, model_.size));
    }
  }

  void write(std::string_view piece) {
    for (std::size_t done = 0; done < piece.size();) {
      const ssize_t count = ::pwrite(file_.get(), piece.data() + done, piece.size() - done, static_cast<off_t>(have_));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) cannot_write(part_, errno);
      done += static_cast<std::size_t>(count);
      have_ += static_cast<std::uint64_t>(count);
    }
    if (progress_) progress_(have_, std::max(all_, have_));
  }

  void start_anew() {
    if (::ftruncate(file_.get(), 0) != 0) cannot_write(part_, errno);
    have_ = 0;
  }

  RecorderError translated(const http::TransferError& error) const {
    const std::string host = host_of(store_.address_);
    const std::string kept =
        have_ > 0 ? fmt::format("; {} are kept, the next pull goes on there", size_text(have_)) : "";
    switch (error.kind()) {
      case http::TransferError::Kind::unreachable:
        return {Errc::model_missing,
                fmt::format("{} cannot be reached: is this machine online? ({})", host, utf8::repaired(error.what()))};
      case http::TransferError::Kind::timed_out:
        return {Errc::timed_out, fmt::format("{} stopped sending {}{}", host, model_.name, kept)};
      case http::TransferError::Kind::cancelled:
        return {Errc::cancelled, fmt::format("the download of {} was cancelled{}", model_.name, kept)};
      case http::TransferError::Kind::refused:
        return {Errc::model_missing, fmt::format("{} sends more than {} is long", host, model_.name)};
      case http::TransferError::Kind::broken:
        break;
    }
    return {Errc::model_missing,
            fmt::format("the connection to {} broke off ({}){}", host, utf8::repaired(error.what()), kept)};
  }

  const ModelStore& store_;
  const Model& model_;
  const fs::path part_;
  const Progress& progress_;
  const std::stop_token cancelled_;
  UniqueFD file_;
  std::uint64_t have_ = 0;  // bytes of the file that are there
  std::uint64_t all_ = 0;   // bytes that it will have, as the server says
};

ModelStore ModelStore::of_user() {
  auto folders = model_folders();
  if (folders.empty()) no_place();
  const auto address = environment("DICTUM_MODELS_URL");
  return {own_model_folder(), address.empty() ? std::string(kPublisher) : address, catalogue(), {}, std::move(folders)};
}

ModelStore::ModelStore(fs::path folder, std::string address, std::span<const Model> models, Patience patience,
                       std::vector<fs::path> read_folders)
    : folder_(std::move(folder)),
      address_(std::move(address)),
      models_(models),
      patience_(patience),
      read_folders_(std::move(read_folders)) {}

std::vector<ModelStore::Entry> ModelStore::list() const {
  std::vector<Entry> entries;
  for (const Model& model : models_) {
    const fs::path file = path_of(model);
    std::error_code error;
    entries.push_back({model, fs::is_regular_file(file, error), size_of(part_of(own_path(model))), file});
  }
  return entries;
}

std::vector<fs::path> ModelStore::unknown_files() const {
  std::vector<fs::path> files = installed_model_files();
  std::erase_if(files, [&](const fs::path& file) {
    return std::ranges::any_of(models_, [&](const Model& model) { return file.filename() == model.file_name(); });
  });
  return files;
}

fs::path ModelStore::path(std::string_view name) const {
  return path_of(find(name));
}

fs::path ModelStore::path_of(const Model& model) const {
  for (const fs::path& folder : read_folders_) {
    std::error_code error;
    if (fs::path file = folder / model.file_name(); fs::is_regular_file(file, error)) return file;
  }
  return own_path(model);
}

fs::path ModelStore::resolve(std::string_view name_or_file) const {
  std::error_code error;
  if (name_or_file.find('/') != std::string_view::npos) {
    if (fs::is_regular_file(name_or_file, error)) return name_or_file;
    throw RecorderError(Errc::model_missing, fmt::format("there is no model file {}", utf8::repaired(name_or_file)));
  }
  const fs::path file = path(name_or_file);
  if (fs::is_regular_file(file, error)) return file;
  throw RecorderError(Errc::model_missing, fmt::format("the model {} is not installed: run `dictum models pull {}`",
                                                       name_or_file, name_or_file));
}

fs::path ModelStore::pull(std::string_view name, const Progress& progress, std::stop_token cancelled) const {
  const Model& model = find(name);
  const fs::path file = path(name);
  if (std::error_code error; fs::is_regular_file(file, error)) return file;
  Download(*this, model, progress, std::move(cancelled)).run();
  return file;
}

void ModelStore::verify(std::string_view name, const Progress& progress) const {
  const Model& model = find(name);
  const fs::path file = resolve(name);
  if (const auto sum = checksum(file, progress, {}); sum != model.sha256) {
    throw RecorderError(
        Errc::model_missing,
        fmt::format("{} is damaged (its SHA-256 is {}): remove it and pull it again", file.string(), sum));
  }
}

bool ModelStore::remove(std::string_view name) const {
  const fs::path file = own_path(find(name));
  std::error_code error;
  const bool whole = fs::remove(file, error);
  if (error) cannot_write(file, error.value());
  const bool part = fs::remove(part_of(file), error);
  if (error) cannot_write(part_of(file), error.value());
  return whole || part;
}

const Model& ModelStore::find(std::string_view name) const {
  const auto found = std::ranges::find(models_, name, &Model::name);
  if (found == models_.end()) {
    throw RecorderError(
        Errc::config_invalid,
        fmt::format("there is no model \"{}\": `dictum models list` names them all", utf8::repaired(name)));
  }
  return *found;
}

}  // namespace dictum::models
