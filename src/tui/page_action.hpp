#pragma once

#include <string_view>
#include <vector>

#include "tui/model.hpp"
#include "tui/view.hpp"

/// What can be done on a page with what is selected there, and with which key. The keys and the hints go by this table.
namespace dictum::tui {

enum class PageAction {
  choose_device,
  read,  ///< the session that is selected, or that the selected row is of
  play,  ///< what is selected, and what follows it
  copy,
  copy_session,
  edit,
  export_session,
  write_export,
  save_edit,
  transcribe_missing,
  transcribe_again,
  remove,
  filter,
  confirm,
};

struct PageKey {
  PageAction action;
  std::string_view key;   ///< as `parse_key` names it
  std::string_view hint;  ///< what it does
};

/// Those that can be used on the view's page now, in the order in which they are shown. They come before the keys of
/// `KeyMap`.
std::vector<PageKey> page_keys(const Model& model, const View& view);

}  // namespace dictum::tui
