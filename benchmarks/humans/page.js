"use strict";
(function () {
  function row(place, names, choose) {
    place.hidden = false;
    names.forEach(function (name, number) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = name.text;
      button.setAttribute("aria-pressed", number === 0);
      button.addEventListener("click", function () {
        Array.from(place.children).forEach(function (other) { other.setAttribute("aria-pressed", other === button); });
        choose(name.value);
      });
      place.append(button);
    });
    choose(names[0].value);
  }
  var tabs = Array.from(document.querySelectorAll(".tab"));
  var sets = Array.from(new Set(tabs.map(function (tab) { return tab.dataset.tab; })));
  row(document.querySelector(".tabs"), sets.map(function (name) { return { text: name, value: name }; }), function (name) {
    tabs.forEach(function (tab) { tab.hidden = tab.dataset.tab !== name; });
  });
  var attacks = Array.from(document.querySelectorAll(".attack"));
  attacks.forEach(function (one) {
    one.addEventListener("toggle", function () {
      if (one.open) { attacks.forEach(function (other) { if (other !== one) { other.open = false; } }); }
    });
  });
  var readout = document.querySelector(".readout");
  document.querySelectorAll(".dot").forEach(function (dot) {
    dot.addEventListener("click", function () {
      document.querySelectorAll(".dot.on").forEach(function (other) { other.classList.remove("on"); });
      dot.classList.add("on");
      readout.hidden = false;
      readout.textContent = dot.querySelector("title").textContent;
    });
  });
}());
