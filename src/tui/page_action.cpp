#include "tui/page_action.hpp"

#include <algorithm>

namespace dictum::tui {
namespace {

std::vector<PageKey> keys_of(Page page) {
  using enum PageAction;
  switch (page) {
    case Page::devices:
      return {{choose_device, "enter", "listen to it"}};
    case Page::sessions:
      return {{read, "enter", "read"},
              {play, "p", "play"},
              {copy_session, "y", "copy"},
              {export_session, "e", "export"},
              {transcribe_again, "t", "transcribe again"},
              {remove, "x", "delete"},
              {filter, "f", "filter"}};
    case Page::notes:
      return {{play, "enter", "play"}, {copy, "y", "copy"}, {read, "tab", "read the session"}, {filter, "f", "filter"}};
    case Page::reading:
      return {{play, "enter", "play from here"},
              {copy, "y", "copy"},
              {copy_session, "Y", "copy all"},
              {edit, "c", "correct"},
              {export_session, "e", "export"},
              {transcribe_missing, "r", "get missing texts"},
              {transcribe_again, "t", "transcribe again"},
              {remove, "x", "delete"},
              {filter, "f", "filter"}};
    case Page::exporting:
      return {{write_export, "enter", "write a file here"}};
    case Page::editing:
      return {{save_edit, "enter", "save"}};
    case Page::deleting:
      return {{confirm, "y", "delete"}};
    case Page::redoing:
      return {{confirm, "y", "transcribe"}};
    case Page::search:
      return {{play, "enter", "play"}, {read, "tab", "read the session"}};
    case Page::main:
    case Page::help:
    case Page::leaving:
      break;
  }
  return {};
}

bool lacks_texts(const Model& model) {
  return model.open_session && std::ranges::any_of(model.open_session->passages, [](const Passage& each) {
           return each.state == Passage::State::failed;
         });
}

}  // namespace

std::vector<PageKey> page_keys(const Model& model, const View& view) {
  std::vector<PageKey> keys = keys_of(view.page);
  if (!lacks_texts(model)) {
    std::erase_if(keys, [](const PageKey& each) { return each.action == PageAction::transcribe_missing; });
  }
  return keys;
}

}  // namespace dictum::tui
