/* Every page works without JavaScript. These make it live, quick and careful with what people type.
   Modules without a build: each has one concern and finds by data attributes what it serves. */
import "./ages.js";
import "./arrivals.js";
import "./chooser.js";
import "./copy.js";
import "./drafts.js";
import "./editors.js";
import "./filter.js";
import "./folds.js";
import "./kept.js";
import "./keys.js";
import "./lists.js";
import "./live.js";
import "./menus.js";
import "./palette.js";
import "./paths.js";
import "./send.js";
import "./tab.js";
import "./zone.js";
